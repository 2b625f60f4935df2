/** A body that breaks off in its middle. Large, because the kernel takes a few megabytes before anybody reads them. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Action, Rule } from '../testing/smtp-sink/rule.ts';
import type { Outcome } from './contract.ts';
import { deliverTo, nothingOpen, openSockets, type SmtpFixture, startFixture } from './smtp-fixture.ts';

describe.each([
  { tls: 'none', pipelining: true },
  { tls: 'none', pipelining: false },
  { tls: 'starttls', pipelining: true },
])('in the middle of a message (tls $tls, pipelining $pipelining)', ({ tls, pipelining }) => {
  let fixture: SmtpFixture;

  afterEach(async () => {
    await fixture.stop();
    await expect.poll(openSockets).toBe(0);
  });

  const reply = (code: number, text: string): Action => ({ do: 'reply', code, text });
  const bytes = 30_000_000;
  const midBody = (action: Action): Rule => ({ stage: 'body', afterBytes: 200_000, action });

  it.each([
    ['RST', { do: 'reset' }, 'deferred', 'transient'],
    ['FIN', { do: 'hangup' }, 'deferred', 'transient'],
    ['hang', { do: 'stall' }, 'deferred', 'transient'],
    ['421', reply(421, '4.7.0 Too fast'), 'deferred', 'throttled'],
    ['552', reply(552, '5.3.4 Too big'), 'rejected', 'message'],
    ['early 250', { do: 'raw', bytes: '250 OK\r\n' }, 'unknown', undefined],
    ['garbage', { do: 'garbage' }, 'deferred', 'transient'],
  ] satisfies [string, Action, Outcome['kind'], string | undefined][])(
    '%s: it is not accepted, and the final dot never leaves',
    async (_, action, kind, replyClass) => {
      fixture = await startFixture({
        sink: { extensions: { pipelining }, rules: [midBody(action)] },
        settings: { tls, tlsVerify: false },
      });
      const courier = await fixture.courier(action.do === 'stall' ? { acceptTimeoutMs: 300 } : {});
      const outcome = await deliverTo(courier, 'anna@example.org', bytes);
      expect(outcome).toMatchObject(replyClass ? { kind, class: replyClass } : { kind });
      expect(courier.isUsable).toBe(false);
      fixture.sink.release();
      await nothingOpen(fixture.sink);
      expect(fixture.sink.accepted().messages).toBe(0);
    },
  );
});
