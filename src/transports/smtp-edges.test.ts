/** Every edge of a dialogue at which it can break, and what became of the message. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Courier } from './contract.ts';
import { edges, keepsWaiting } from './smtp-edge-table.ts';
import {
  deliverTo,
  messageTo,
  nothingOpen,
  openSockets,
  type SmtpFixture,
  startFixture,
} from './smtp-fixture.ts';

const always = () => true;
const shortLimits = { envelopeTimeoutMs: 150, acceptTimeoutMs: 150 };

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
    fixture.setRules({
      stage: 'dot',
      action: { do: 'reply', code: 250, text: '2.0.0 Ok: queued as 4XyZ12' },
    });
    expect(await deliverTo(courier, 'anna@example.org')).toEqual({
      kind: 'accepted',
      reply: { code: 250, enhanced: '2.0.0', text: 'Ok: queued as 4XyZ12' },
      remoteId: '4XyZ12',
    });
  });

  it.each(edges)('$what', async (edge) => {
    const { rule, kind, replyClass, isUsable } = edge;
    fixture.setRules({ ...rule, times: 1 });
    if (keepsWaiting(edge)) courier = await impatient();
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
