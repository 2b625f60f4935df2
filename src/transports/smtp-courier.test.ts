import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { messageBuffers } from '../render/splice.ts';
import { deliverTo, messageTo, nothingOpen, startFixture } from './smtp-fixture.ts';

describe('a courier', () => {
  it('ends after its share of messages', async () => {
    const fixture = await startFixture({ limits: { messagesPerConnection: 2 } });
    const courier = await fixture.courier();
    await deliverTo(courier, 'a@example.org');
    expect(courier.isUsable).toBe(true);
    await deliverTo(courier, 'b@example.org');
    expect(courier.isUsable).toBe(false);
    expect(await deliverTo(courier, 'c@example.org')).toMatchObject({ kind: 'untransmitted' });
    await fixture.stop();
  });

  it('closes itself when it has nothing to do', async () => {
    const fixture = await startFixture({ limits: { idleTimeoutMs: 20 } });
    const courier = await fixture.courier();
    await nothingOpen(fixture.sink);
    expect(courier.isUsable).toBe(false);
    await fixture.stop();
  });

  it.each([
    ['rcpt', 'untransmitted'],
    ['dot', 'unknown'],
  ] as const)('closed while the server hangs at %s, it answers at once', async (stage, kind) => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    fixture.setRules({ id: 'hang', stage, action: { do: 'stall' } });
    const delivery = deliverTo(courier, 'a@example.org');
    await fixture.sink.waitForHits('hang', 1, { timeoutMs: 1000 });
    await courier.close();
    expect(await delivery).toMatchObject({ kind });
    await fixture.stop();
  });

  it('says goodbye, and does not wait for an answer for ever', async () => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    fixture.setRules({ id: 'quit', stage: 'quit', action: { do: 'stall' } });
    await courier.close();
    expect(fixture.sink.rules()[0]?.hits).toBe(1);
    await fixture.stop();
  });

  it('tolerates a server that refuses RSET, by a new connection', async () => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    fixture.setRules(
      { stage: 'rcpt', action: { do: 'reply', code: 550, text: '5.1.1 Unknown' }, times: 1 },
      { stage: 'rset', action: { do: 'reply', code: 500, text: '5.5.1 What?' } },
    );
    expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'rejected' });
    expect(await deliverTo(courier, 'b@example.org')).toMatchObject({ kind: 'untransmitted' });
    expect(courier.isUsable).toBe(false);
    await fixture.stop();
  });

  it('sends RSET only after a refusal that leaves the transaction open', async () => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    fixture.setRules(
      { stage: 'mail', when: { nth: 1 }, action: { do: 'reply', code: 451, text: '4.3.0 Later' } },
      { stage: 'dot', when: { nth: 1 }, action: { do: 'reply', code: 451, text: '4.3.0 Later' } },
      { id: 'rset', stage: 'rset', action: { do: 'delay', ms: 1 } },
    );
    for (const to of ['a@example.org', 'b@example.org', 'c@example.org']) await deliverTo(courier, to);
    expect(fixture.sink.rules().find(({ rule }) => rule.id === 'rset')?.hits).toBe(0);
    await fixture.stop();
  });

  it('refuses what the server could not take, without asking it', async () => {
    const fixture = await startFixture({ sink: { extensions: { sizeLimit: 5000, smtpUtf8: false } } });
    const courier = await fixture.courier();
    expect(await deliverTo(courier, 'a@example.org', 6000)).toMatchObject({
      kind: 'rejected',
      class: 'message',
      reply: { code: 0, enhanced: '5.3.4' },
    });
    expect(await deliverTo(courier, 'jürgen@example.org')).toMatchObject({
      kind: 'rejected',
      class: 'message',
      reply: { enhanced: '5.6.7', text: expect.stringContaining('SMTPUTF8') },
    });
    expect(await deliverTo(courier, 'a@b>\r\nRCPT TO:<c@example.org')).toMatchObject({
      kind: 'rejected',
      class: 'address',
    });
    expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'accepted' });
    await fixture.stop();
  });

  it('uses SMTPUTF8 where it is offered and needed', async () => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    expect(await deliverTo(courier, 'jürgen@example.org')).toMatchObject({ kind: 'accepted' });
    expect(await deliverTo(courier, 'anna@example.org')).toMatchObject({ kind: 'accepted' });
    await fixture.stop();
  });

  it.each(['none', 'starttls'])(
    'keeps the bytes of messages apart that leave at once (tls %s)',
    async (tls) => {
      const fixture = await startFixture({ settings: { tls, tlsVerify: false } });
      const couriers = await Promise.all(Array.from({ length: 4 }, () => fixture.courier()));
      const sent = new Map<string, Buffer>();
      let announced = 0;
      await Promise.all(
        couriers.map(async (courier, c) => {
          const messages = [100, 60_000, 200_000, 65_300, 3_000, 65_536].map((bytes, i) => {
            const to = `${c}-${i}@example.org`;
            const own = Buffer.from(`${to} `.repeat(bytes / to.length).concat('\r\n'));
            const message = messageTo(to);
            const rendered = { ...message.rendered, parts: [0, own, 1, own] };
            sent.set(to, Buffer.concat(messageBuffers(message.compiled, rendered)));
            return { ...message, rendered };
          });
          for (const [i, message] of messages.entries()) {
            await courier.deliver(
              [message],
              () => true,
              () => {
                announced++;
                return messages[i + 1];
              },
            );
          }
        }),
      );
      expect(announced).toBeGreaterThan(0);
      const { kept } = fixture.sink.accepted();
      expect(kept.length).toBe(24);
      for (const { to, bytes } of kept)
        expect(sent.get(to[0] ?? '')?.equals(bytes ?? Buffer.alloc(0))).toBe(true);
      await fixture.stop();
    },
  );

  it('survives a port scanner beside it', async () => {
    const fixture = await startFixture();
    const courier = await fixture.courier();
    const stranger = connect(fixture.sink.port, '127.0.0.1');
    await new Promise((resolve) => stranger.once('data', resolve));
    stranger.resetAndDestroy();
    expect(await deliverTo(courier, 'anna@example.org')).toMatchObject({ kind: 'accepted' });
    await fixture.stop();
  });
});
