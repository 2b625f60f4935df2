import { afterEach, describe, expect, test } from 'vitest';
import { greet, openMessage, sendMessage } from './message-steps.ts';
import { RawClient } from './raw-client.ts';
import type { Action, Rule } from './rule.ts';
import { createSmtpSink, type SmtpSink } from './sink.ts';

let sink: SmtpSink;
afterEach(() => sink.stop());

async function clientOf(rules: readonly Rule[]): Promise<RawClient> {
  sink = createSmtpSink({ rules });
  return RawClient.connect((await sink.start()).port);
}

describe('in the middle of a message', () => {
  const body = `${'x'.repeat(70)}\r\n`.repeat(100);

  test.each<['hangup' | 'reset', string]>([
    ['hangup', 'fin'],
    ['reset', 'reset'],
  ])('the sink can %s', async (act, ending) => {
    const client = await clientOf([{ stage: 'body', afterBytes: 3000, action: { do: act } }]);
    await greet(client);
    await openMessage(client);
    await client.send(body.slice(0, 2999));
    expect(sink.rules()[0]!.hits).toBe(0);
    await client.send(body.slice(2999));
    expect(await client.ending).toBe(ending);
    client.close();
    await sink.waitForConnections(0, { timeoutMs: 1000 });
    expect(sink.connections.interrupted).toBe(1);
    expect(sink.accepted().messages).toBe(0);
  });

  test('a message shorter than that ends without its reply', async () => {
    const client = await clientOf([{ stage: 'body', afterBytes: 1_000_000, action: { do: 'hangup' } }]);
    await greet(client);
    await openMessage(client);
    await client.send('Hello\r\n.\r\n');
    expect(await client.ending).toBe('fin');
    expect(sink.accepted().messages).toBe(0);
  });

  test('the sink can fail before the first byte', async () => {
    const client = await clientOf([{ stage: 'body', action: { do: 'hangup' } }]);
    await greet(client);
    await openMessage(client);
    expect(await client.ending).toBe('fin');
  });

  test('the sink can speak out of turn, stall, and still take the message', async () => {
    const client = await clientOf([
      {
        stage: 'body',
        afterBytes: 100,
        times: 1,
        action: { do: 'reply', code: 452, text: '4.3.1 Out of room' },
      },
      { id: 'stall', stage: 'body', afterBytes: 100, action: { do: 'stall' } },
    ]);
    await greet(client);
    await openMessage(client);
    await client.send(body);
    expect(await client.reply()).toBe('452 4.3.1 Out of room');
    await client.send('.\r\n');
    expect(await client.reply()).toMatch(/^250/);

    await openMessage(client);
    await client.send(`${body}.\r\nNOOP\r\n`);
    await sink.waitForHits('stall', 1, { timeoutMs: 1000 });
    sink.release();
    expect(await client.reply()).toMatch(/^250 2.0.0 Ok: queued/);
    expect(await client.reply()).toMatch(/^250 2.0.0 OK$/);
    expect(sink.accepted().messages).toBe(2);
  });

  test('a stalled sink stops reading at last, and lets go when it stops', async () => {
    const client = await clientOf([{ stage: 'body', action: { do: 'stall' } }]);
    await greet(client);
    await openMessage(client);
    void client.send(Buffer.alloc(64 * 1024 * 1024, 'x')).catch(() => undefined);
    await sink.waitForHits('rule-1', 1, { timeoutMs: 1000 });
    await sink.stop();
    expect(sink.connections.open).toBe(0);
    await client.ending;
  });
});

describe('after the final dot', () => {
  test.each<[Action['do'], boolean, number]>([
    ['hangup', false, 0],
    ['hangup', true, 1],
    ['reset', false, 0],
    ['reset', true, 1],
    ['garbage', true, 1],
    ['stall', false, 0],
    ['stall', true, 1],
  ])('%s with takesEffect %s has accepted %i', async (act, takesEffect, accepted) => {
    const client = await clientOf([{ id: 'it', stage: 'dot', action: { do: act, takesEffect } as Action }]);
    await greet(client);
    await openMessage(client);
    await client.send('Hello\r\n.\r\n');
    await sink.waitForHits('it', 1, { timeoutMs: 1000 });
    expect(sink.accepted().messages).toBe(accepted);
    sink.release();
    if (act === 'stall') expect(await client.reply()).toMatch(/^250/);
    expect(sink.accepted().messages).toBe(act === 'stall' ? 1 : accepted);
  });

  test.each<['hangup' | 'reset', string]>([
    ['hangup', 'fin'],
    ['reset', 'reset'],
  ])('the 250 is the last word before a %s', async (act, ending) => {
    const client = await clientOf([{ stage: 'accepted', action: { do: act, delayMs: 20 } }]);
    await greet(client);
    expect(await sendMessage(client)).toMatch(/^250/);
    expect(await client.ending).toBe(ending);
    expect(sink.accepted().messages).toBe(1);
  });

  test('a 421 nobody asked for follows the 250', async () => {
    const when = { fromMessageOnConnection: 2 };
    const client = await clientOf([
      { stage: 'accepted', when, action: { do: 'reply', code: 421, text: '4.7.0 Enough' } },
    ]);
    await greet(client);
    expect(await sendMessage(client)).toMatch(/^250/);
    expect(await sendMessage(client)).toMatch(/^250/);
    expect(await client.reply()).toBe('421 4.7.0 Enough');
    expect(await client.ending).toBe('fin');
  });
});
