import { expect, test } from 'vitest';
import type { Courier } from '../transports/contract.ts';
import { Announcements } from './announcements.ts';
import { goRound } from './courier-round.ts';
import { testMessages, testRun } from './fixtures.ts';
import { mayBeAnnounced, type Outgoing, startWithinMs } from './outgoing.ts';
import { ReadyQueue } from './ready-queue.ts';

const [message] = testMessages(1);
const outgoing = { run: testRun(1), message, intendedAt: 0, failures: 0 } as Outgoing;

function idleCourier() {
  const ready = new ReadyQueue();
  const state = { isUsable: true };
  const seen = { delivered: [] as Outgoing[], putBack: [] as Outgoing[] };
  const going = goRound(state as Courier, {
    ready,
    announced: new Announcements(),
    mayTake: () => true,
    taken: () => undefined,
    putBack: (one) => void seen.putBack.push(one),
    deliver: async (_, one) => {
      seen.delivered.push(one);
      state.isUsable = false;
      return true;
    },
  });
  return { ready, state, seen, going };
}

test('a message given to an idle courier is delivered', async () => {
  const { ready, seen, going } = idleCourier();
  ready.push(outgoing);
  await going;
  expect(seen).toEqual({ delivered: [outgoing], putBack: [] });
});

test.each([
  ['all is stopped', ({ ready }: ReturnType<typeof idleCourier>) => ready.close(() => undefined)],
  [
    'the courier dies',
    ({ state }: ReturnType<typeof idleCourier>) => {
      state.isUsable = false;
    },
  ],
])('it is put back where %s before the courier has begun', async (_, happen) => {
  const round = idleCourier();
  round.ready.push(outgoing);
  happen(round);
  await round.going;
  expect(round.seen).toEqual({ delivered: [], putBack: [outgoing] });
});

test('a message is announced once, and with time left', () => {
  const halfASecondBefore = startWithinMs - 501;
  expect(mayBeAnnounced(outgoing, halfASecondBefore)).toBe(true);
  expect(mayBeAnnounced(outgoing, halfASecondBefore + 1)).toBe(false);
  expect(mayBeAnnounced({ ...outgoing, failures: 1 }, 0)).toBe(false);
});
