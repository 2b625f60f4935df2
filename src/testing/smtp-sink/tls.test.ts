import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { SinkOptions } from './options.ts';
import { playDialogue, RawClient } from './raw-client.ts';
import type { Action, Rule } from './rule.ts';
import { createSmtpSink, type SmtpSink } from './sink.ts';
import { sinkCertificate } from './tls-identity.ts';

let sink: SmtpSink;
afterEach(() => sink.stop());

async function clientOf(options: SinkOptions): Promise<RawClient> {
  sink = createSmtpSink(options);
  return RawClient.connect((await sink.start()).port);
}

function handshake(client: RawClient): Promise<TLSSocket> {
  client.socket.removeAllListeners('data');
  return new Promise((resolve, reject) => {
    const secure = tlsConnect({ socket: client.socket, ca: sinkCertificate, servername: 'localhost' });
    secure.once('secureConnect', () => resolve(secure)).once('error', reject);
    client.socket.once('close', () => reject(new Error('The connection closed')));
  });
}

const startTls = `S: 220 *
  C: EHLO client.example
  S: 250-*
  S: 250-PIPELINING
  S: 250-SIZE *
  S: 250-STARTTLS
  S: 250-*
  S: 250-*
  S: 250 *
  C: STARTTLS
  S: 220 2.0.0 *`;

const message = `C: MAIL FROM:<a@b.example>
  S: 250 *
  C: RCPT TO:<c@d.example>
  S: 250 *
  C: DATA
  S: 354 *
  C: Hello
  C: .
  S: 250 *
  C: QUIT
  S: 221 *
  S: <fin>`;

describe('STARTTLS', () => {
  test('secures the rest of the dialogue under a certificate that can be checked', async () => {
    const plain = await clientOf({ requireTls: true });
    await playDialogue(plain, startTls);
    const secure = await handshake(plain);
    expect(secure.authorized).toBe(true);
    await playDialogue(
      new RawClient(secure),
      `C: MAIL FROM:<a@b.example>
       S: 503 5.5.1 *
       C: EHLO client.example
       S: 250-*
       S: 250-PIPELINING
       S: 250-SIZE *
       S: 250-ENHANCEDSTATUSCODES
       S: 250-*
       S: 250 *
       C: STARTTLS
       S: 503 *
       ${message}`,
    );
    expect(sink.accepted().messages).toBe(1);
  });

  test('may be demanded before mail', async () => {
    await playDialogue(
      await clientOf({ requireTls: true }),
      `S: 220 *
       C: HELO client.example
       S: 250 *
       C: MAIL FROM:<a@b.example>
       S: 530 5.7.0 Must issue a STARTTLS command first`,
    );
  });

  test('drops what was pipelined behind it in the clear', async () => {
    const plain = await clientOf({});
    await plain.reply();
    await plain.send('STARTTLS\r\nEHLO attacker.example\r\n');
    expect(await plain.reply()).toMatch(/^220/);
    const secure = new RawClient(await handshake(plain));
    expect(await secure.ask('NOOP')).toMatch(/^250 2.0.0 OK/);
  });

  test('may be refused', async () => {
    const rules: Rule[] = [
      { stage: 'starttls', action: { do: 'reply', code: 454, text: '4.7.0 TLS not available' } },
    ];
    const plain = await clientOf({ rules });
    await plain.reply();
    expect(await plain.ask('STARTTLS')).toBe('454 4.7.0 TLS not available');
    expect(await plain.ask('NOOP')).toMatch(/^250/);
  });

  test.each<[string, Action]>([
    ['garbage', { do: 'garbage' }],
    ['FIN', { do: 'hangup', delayMs: 5 }],
    ['RST', { do: 'reset', delayMs: 5 }],
  ])('may fail in the handshake by %s', async (_, action) => {
    const plain = await clientOf({ rules: [{ stage: 'tls', action }] });
    await playDialogue(plain, startTls);
    await expect(handshake(plain)).rejects.toThrow(/.+/);
    plain.close();
    await sink.waitForConnections(0, { timeoutMs: 1000 });
  });

  test('may stall in the handshake, and go on', async () => {
    const plain = await clientOf({ rules: [{ id: 'it', stage: 'tls', action: { do: 'stall' } }] });
    await playDialogue(plain, startTls);
    const secured = handshake(plain);
    await sink.waitForHits('it', 1, { timeoutMs: 1000 });
    await expect(Promise.race([secured, Promise.resolve('nothing yet')])).resolves.toBe('nothing yet');
    plain.close();
    await expect(secured).rejects.toThrow(/.+/);
    await sink.waitForConnections(0, { timeoutMs: 1000 });
  });

  test('keeps all faults of a dialogue possible', async () => {
    const faults: Rule[] = [
      { stage: 'mail', times: 1, action: { do: 'split', sizes: [2] } },
      { stage: 'dot', action: { do: 'reset', delayMs: 5, takesEffect: true } },
    ];
    const plain = await clientOf({ rules: faults });
    await playDialogue(plain, startTls);
    const secure = new RawClient(await handshake(plain));
    await playDialogue(
      secure,
      `C: HELO client.example
       S: 250 *
       C: MAIL FROM:<a@b.example>
       S: 250 *
       C: RCPT TO:<c@d.example>
       S: 250 *
       C: DATA
       S: 354 *
       C: .
       S: <reset>`,
    );
    expect(sink.accepted().messages).toBe(1);
  });
});

describe('implicit TLS', () => {
  test('comes before the banner', async () => {
    const plain = await clientOf({ implicitTls: true });
    const secure = new RawClient(await handshake(plain));
    await playDialogue(
      secure,
      `S: 220 *
       C: HELO client.example
       S: 250 *
       ${message}`,
    );
  });

  test('may fail before it', async () => {
    const plain = await clientOf({ implicitTls: true, rules: [{ stage: 'tls', action: { do: 'garbage' } }] });
    await expect(handshake(plain)).rejects.toThrow(/.+/);
  });
});
