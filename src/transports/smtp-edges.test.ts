/** Every edge of a dialogue at which it can break, and what became of the message. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Action, Rule } from '../testing/smtp-sink/rule.ts';
import type { Courier, Outcome } from './contract.ts';
import {
  deliverTo,
  messageTo,
  nothingOpen,
  openSockets,
  type SmtpFixture,
  startFixture,
} from './smtp-fixture.ts';

const always = () => true;
/** Where the server keeps us waiting on purpose; elsewhere a busy machine must not look like a server that does. */
const shortLimits = { envelopeTimeoutMs: 150, acceptTimeoutMs: 150 };
const keepsWaiting = (action: Action) =>
  action.do === 'stall' || action.do === 'drip' || (action.do === 'raw' && !action.bytes.endsWith('\n'));

describe.each([
  { tls: 'none', pipelining: true },
  { tls: 'none', pipelining: false },
  { tls: 'starttls', pipelining: true },
])('over SMTP (tls $tls, pipelining $pipelining)', ({ tls, pipelining }) => {
  let fixture: SmtpFixture;
  let courier: Courier;

  beforeEach(async () => {
    fixture = await startFixture({
      sink: { extensions: { pipelining } },
      settings: { tls, tlsVerify: false },
    });
    courier = await fixture.courier();
  });

  afterEach(async () => {
    await fixture.stop();
    await expect.poll(openSockets).toBe(0);
  });

  async function impatient(): Promise<Courier> {
    await courier.close();
    return fixture.courier(shortLimits);
  }

  const reply = (code: number, text: string): Action => ({ do: 'reply', code, text });
  const acceptedBySink = () => fixture.sink.accepted().messages;

  it('transmits exactly the message', async () => {
    const message = messageTo('anna@example.org', 100_000);
    await courier.deliver([message], always);
    const [kept] = fixture.sink.accepted().kept;
    const [head, body] = message.compiled.segments as [Buffer, Buffer];
    expect(kept?.bytes).toEqual(
      Buffer.concat([head, Buffer.from('To: anna@example.org\r\n\r\n'), body, Buffer.from('Bye.\r\n')]),
    );
    expect(kept).toMatchObject({ from: 'bounce@sender.example', to: ['anna@example.org'] });
  });

  it('says what the server said and under which id it keeps the message', async () => {
    const rule: Rule = { stage: 'dot', action: reply(250, '2.0.0 Ok: queued as 4XyZ12') };
    fixture.setRules(rule);
    expect(await deliverTo(courier, 'anna@example.org')).toEqual({
      kind: 'accepted',
      reply: { code: 250, enhanced: '2.0.0', text: 'Ok: queued as 4XyZ12' },
      remoteId: '4XyZ12',
    });
  });

  type Row = [
    what: string,
    rule: Rule,
    kind: Outcome['kind'],
    replyClass: string | undefined,
    isUsable: boolean,
  ];
  const resetBy = (stage: Rule['stage'], takesEffect = false): Rule => ({
    stage,
    action: { do: 'reset', takesEffect },
  });
  const hangupAt = (stage: Rule['stage'], takesEffect = false): Rule => ({
    stage,
    action: { do: 'hangup', takesEffect },
  });
  const rows: Row[] = [
    [
      'MAIL refused for now',
      { stage: 'mail', action: reply(451, '4.3.0 Later') },
      'deferred',
      'transient',
      true,
    ],
    [
      'MAIL refused for good',
      { stage: 'mail', action: reply(550, '5.1.8 Bad sender') },
      'rejected',
      'message',
      true,
    ],
    ['421 to MAIL', { stage: 'mail', action: reply(421, '4.7.0 Too fast') }, 'deferred', 'throttled', false],
    [
      '421 to MAIL, idle',
      { stage: 'mail', action: reply(421, '4.4.2 Timeout') },
      'untransmitted',
      undefined,
      false,
    ],
    ['hang at MAIL', { stage: 'mail', action: { do: 'stall' } }, 'untransmitted', undefined, false],
    ['RST at MAIL', resetBy('mail'), 'untransmitted', undefined, false],
    ['FIN at MAIL', hangupAt('mail'), 'untransmitted', undefined, false],
    ['unknown user', { stage: 'rcpt', action: reply(550, '5.1.1 Unknown') }, 'rejected', 'address', true],
    [
      'unknown user, 4yz',
      { stage: 'rcpt', action: reply(450, '4.1.1 Unknown') },
      'deferred',
      'address',
      true,
    ],
    ['greylisted', { stage: 'rcpt', action: reply(451, '4.7.1 Greylisted') }, 'deferred', 'transient', true],
    ['421 to RCPT', { stage: 'rcpt', action: reply(421, '4.7.28 Too fast') }, 'deferred', 'throttled', false],
    ['hang at RCPT', { stage: 'rcpt', action: { do: 'stall' } }, 'untransmitted', undefined, false],
    ['RST at RCPT', resetBy('rcpt'), 'untransmitted', undefined, false],
    ['FIN at RCPT', hangupAt('rcpt'), 'untransmitted', undefined, false],
    [
      'slow drip at RCPT',
      { stage: 'rcpt', action: { do: 'drip', everyMs: 40 } },
      'untransmitted',
      undefined,
      false,
    ],
    ['garbage at RCPT', { stage: 'rcpt', action: { do: 'garbage' } }, 'untransmitted', undefined, false],
    [
      '503 out of sequence',
      { stage: 'rcpt', action: reply(503, '5.5.1 Sequence') },
      'deferred',
      'transient',
      false,
    ],
    [
      'DATA refused for now',
      { stage: 'data', action: reply(451, '4.3.0 Later') },
      'deferred',
      'transient',
      true,
    ],
    [
      'DATA refused for good',
      { stage: 'data', action: reply(554, '5.7.1 Spam') },
      'rejected',
      'policy',
      true,
    ],
    ['421 to DATA', { stage: 'data', action: reply(421, '4.7.0 Closing') }, 'deferred', 'throttled', false],
    ['hang before the 354', { stage: 'data', action: { do: 'stall' } }, 'untransmitted', undefined, false],
    ['RST before the 354', resetBy('data'), 'untransmitted', undefined, false],
    ['FIN before the 354', hangupAt('data'), 'untransmitted', undefined, false],
    [
      'drip of the 354',
      { stage: 'data', action: { do: 'drip', everyMs: 40 } },
      'untransmitted',
      undefined,
      false,
    ],
    [
      '250 for a 354',
      { stage: 'data', action: { do: 'raw', bytes: '250 OK\r\n' } },
      'untransmitted',
      undefined,
      false,
    ],
    [
      '354 with an answer to come',
      { stage: 'data', action: { do: 'raw', bytes: '354 Go\r\n250 OK\r\n' } },
      'untransmitted',
      undefined,
      false,
    ],
    [
      '354 with half an answer',
      { stage: 'data', action: { do: 'raw', bytes: '354 Go\r\n25' } },
      'untransmitted',
      undefined,
      false,
    ],
    ['garbage for a 354', { stage: 'data', action: { do: 'garbage' } }, 'untransmitted', undefined, false],
    [
      'message refused for now',
      { stage: 'dot', action: reply(451, '4.3.0 Later') },
      'deferred',
      'transient',
      true,
    ],
    [
      'message refused for good',
      { stage: 'dot', action: reply(554, '5.7.1 Spam') },
      'rejected',
      'policy',
      true,
    ],
    [
      '421 to the dot',
      { stage: 'dot', action: reply(421, '4.7.0 Too fast') },
      'deferred',
      'throttled',
      false,
    ],
    ['hang after the dot', { stage: 'dot', action: { do: 'stall' } }, 'unknown', undefined, false],
    [
      'hang after the dot, accepted',
      { stage: 'dot', action: { do: 'stall', takesEffect: true } },
      'unknown',
      undefined,
      false,
    ],
    ['RST after the dot', resetBy('dot'), 'unknown', undefined, false],
    ['RST after the dot, accepted', resetBy('dot', true), 'unknown', undefined, false],
    ['FIN after the dot, accepted', hangupAt('dot', true), 'unknown', undefined, false],
    [
      'garbage after the dot',
      { stage: 'dot', action: { do: 'garbage', takesEffect: true } },
      'unknown',
      undefined,
      false,
    ],
    [
      'half a 250 after the dot',
      { stage: 'dot', action: { do: 'raw', bytes: '250 O' } },
      'unknown',
      undefined,
      false,
    ],
    [
      '"2 fine" after the dot',
      { stage: 'dot', action: { do: 'raw', bytes: '2 fine\r\n' } },
      'unknown',
      undefined,
      false,
    ],
    [
      'drip after the dot',
      { stage: 'dot', action: { do: 'drip', everyMs: 40 } },
      'unknown',
      undefined,
      false,
    ],
    ['split replies', { stage: 'rcpt', action: { do: 'split', sizes: [1, 3] } }, 'accepted', undefined, true],
    ['split 354', { stage: 'data', action: { do: 'split', sizes: [2] } }, 'accepted', undefined, true],
    ['split 250', { stage: 'dot', action: { do: 'split', sizes: [5] } }, 'accepted', undefined, true],
    [
      '250 of several lines',
      { stage: 'dot', action: reply(250, '2.0.0 one\n2.0.0 two') },
      'accepted',
      undefined,
      true,
    ],
  ];

  it.each(rows)('%s', async (_, rule, kind, replyClass, isUsable) => {
    fixture.setRules({ ...rule, times: 1 });
    if (keepsWaiting(rule.action)) courier = await impatient();
    const outcome = await deliverTo(courier, 'anna@example.org');
    expect(outcome).toMatchObject(replyClass ? { kind, class: replyClass } : { kind });
    expect(courier.isUsable).toBe(isUsable);
    // Of a message in doubt nobody can say; every other must be where its outcome says it is.
    if (kind !== 'unknown') expect(acceptedBySink()).toBe(kind === 'accepted' ? 1 : 0);
    if (!isUsable) return;
    // Whatever was refused, the connection carries the next message.
    expect(await deliverTo(courier, 'bert@example.org')).toMatchObject({ kind: 'accepted' });
    expect(fixture.sink.connections.total).toBe(1);
  });

  it('does not let an empty message through when it is called back after the 354', async () => {
    const [outcome] = await courier.deliver([messageTo('anna@example.org')], () => false);
    expect(outcome).toMatchObject({ kind: 'untransmitted', reply: { code: 0 } });
    expect(courier.isUsable).toBe(false);
    await nothingOpen(fixture.sink);
    expect(fixture.sink.connections.interrupted).toBe(1);
    expect(acceptedBySink()).toBe(0);
  });

  it('asks after the 354 and not before', async () => {
    fixture.setRules({ id: 'hold', stage: 'data', action: { do: 'stall' } });
    let asked = 0;
    const delivery = courier.deliver([messageTo('anna@example.org')], () => ++asked > 0);
    await fixture.sink.waitForHits('hold', 1, { timeoutMs: 1000 });
    expect(asked).toBe(0);
    fixture.sink.release();
    await delivery;
    expect(asked).toBe(1);
  });

  it('becomes unusable when the server ends the idle session, with or without a 421', async () => {
    await fixture.sink.stop();
    await expect.poll(() => courier.isUsable).toBe(false);
    expect(await deliverTo(courier, 'anna@example.org')).toMatchObject({ kind: 'untransmitted' });
  });

  it('takes what the server says unasked for the end of the session', async () => {
    fixture.setRules({ stage: 'accepted', action: { do: 'raw', bytes: '250 what?\r\n' } });
    await deliverTo(courier, 'anna@example.org');
    await expect.poll(() => courier.isUsable).toBe(false);
  });

  it('refuses to be given two messages, or one while it has another', async () => {
    const message = messageTo('anna@example.org');
    await expect(courier.deliver([message, message], always)).rejects.toThrow(RangeError);
    const first = courier.deliver([message], always);
    await expect(courier.deliver([message], always)).rejects.toThrow('still delivering');
    await first;
  });
});
