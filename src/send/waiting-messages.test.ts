import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RenderedMessage } from '../render/message.ts';
import { testMessages } from './fixtures.ts';
import { WaitingMessages } from './waiting-messages.ts';

/** What it does, on a plain array. */
const steps = fc.array(fc.record({ taken: fc.nat({ max: 12 }), returned: fc.nat({ max: 12 }) }), {
  maxLength: 20,
});

test('messages are taken in order, and those that come back first', () => {
  fc.assert(
    fc.property(fc.nat({ max: 40 }), steps, (n, list) => {
      const waiting = new WaitingMessages(testMessages(n));
      const model: RenderedMessage[] = [...testMessages(n)];
      for (const { taken, returned } of list) {
        const messages = waiting.take(taken);
        expect(messages).toEqual(model.splice(0, taken));
        const back = messages.slice(-returned || messages.length);
        waiting.giveBack(back);
        model.unshift(...back);
        expect(waiting.length).toBe(model.length);
      }
    }),
  );
});
