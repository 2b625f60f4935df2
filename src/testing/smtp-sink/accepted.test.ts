import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AcceptedMessage, readAcceptedLog } from './accepted-message.ts';
import type { SinkOptions } from './options.ts';
import { RawClient } from './raw-client.ts';
import { createSmtpSink, type SmtpSink } from './sink.ts';

let sink: SmtpSink;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sink-'));
});
afterEach(async () => {
  await sink.stop();
  rmSync(folder, { recursive: true });
});

async function sinkWith(options: SinkOptions): Promise<void> {
  sink = createSmtpSink(options);
  await sink.start();
}

async function deliver(...messages: { to: string[]; id: string }[]): Promise<void> {
  const client = await RawClient.connect(sink.port);
  await client.reply();
  await client.ask('HELO client.example');
  for (const { to, id } of messages) {
    await client.ask('MAIL FROM:<a@b.example>');
    for (const one of to) await client.ask(`RCPT TO:<${one}>`);
    await client.ask('DATA');
    await client.ask(`Message-ID: ${id}\r\n\r\n..Hi\r\n.`);
  }
  client.close();
}

async function allIn(logFile: string): Promise<AcceptedMessage[]> {
  const all: AcceptedMessage[] = [];
  for await (const message of readAcceptedLog(logFile)) all.push(message);
  return all;
}

describe('what was accepted', () => {
  test('is counted by address, Message-ID and domain, and duplicates show', async () => {
    await sinkWith({ clock: { now: () => 1_795_000_000_000, monotonic: () => 0 } });
    await deliver(
      { to: ['a@Gmail.com', 'b@gmail.com'], id: '<1@x>' },
      { to: ['A@gmail.com'], id: '<1@x>' },
      { to: ['c@me.com'], id: '<2@x>' },
    );
    const accepted = sink.accepted();
    expect(accepted).toMatchObject({ messages: 3, recipients: 4, bytes: 3 * 26 });
    expect([...accepted.byAddress]).toEqual([
      ['a@gmail.com', 2],
      ['b@gmail.com', 1],
      ['c@me.com', 1],
    ]);
    expect([...accepted.byMessageId]).toEqual([
      ['<1@x>', 2],
      ['<2@x>', 1],
    ]);
    expect([...accepted.byDomain]).toEqual([
      ['gmail.com', 3],
      ['me.com', 1],
    ]);
    expect(accepted.duplicates()).toEqual(['a@gmail.com']);
    expect(accepted.log[0]).toEqual({
      at: 1_795_000_000_000,
      connectionId: 1,
      from: 'a@b.example',
      to: ['a@Gmail.com', 'b@gmail.com'],
      messageId: '<1@x>',
      size: 26,
    });
    sink.clearAccepted();
    expect(sink.accepted()).toMatchObject({ messages: 0, recipients: 0, bytes: 0, log: [] });
  });

  test('takes only as much memory as it may', async () => {
    await sinkWith({ memory: 'addresses' });
    await deliver({ to: ['a@gmail.com'], id: '<1@x>' });
    expect([sink.accepted().log.length, sink.accepted().byAddress.size]).toEqual([0, 1]);
    await sink.stop();
    await sinkWith({ memory: 'counters' });
    await deliver({ to: ['a@gmail.com'], id: '<1@x>' });
    expect([sink.accepted().byAddress.size, sink.accepted().byMessageId.size]).toEqual([0, 0]);
    expect(sink.accepted().byDomain.get('gmail.com')).toBe(1);
  });

  test.each<[string, NonNullable<SinkOptions['keepBodies']>, number]>([
    ['nothing', 'none', 0],
    ['everything', 'all', 3],
    ['the first few', 2, 2],
    ['what a predicate says', ({ to }) => to.includes('c@me.com'), 1],
  ])('keeps bytes: %s', async (_, keepBodies, count) => {
    await sinkWith({ keepBodies });
    await deliver(
      { to: ['a@me.com'], id: '<1@x>' },
      { to: ['b@me.com'], id: '<2@x>' },
      { to: ['c@me.com'], id: '<3@x>' },
    );
    const { kept } = sink.accepted();
    expect(kept).toHaveLength(count);
    for (const { bytes, messageId, size } of kept) {
      expect(bytes!.toString()).toBe(`Message-ID: ${messageId}\r\n\r\n.Hi\r\n`);
      expect(bytes!.length).toBe(size);
    }
  });

  test('is in the file before the client is told, and survives a torn last line', async () => {
    const logFile = join(folder, 'accepted.log');
    await sinkWith({
      logFile,
      memory: 'counters',
      rules: [{ id: 'it', stage: 'dot', action: { do: 'stall', takesEffect: true } }],
    });
    const delivered = deliver({ to: ['jose@x.example'], id: '<"odd\\">@x>' });
    await sink.waitForHits('it', 1, { timeoutMs: 1000 });
    expect(readFileSync(logFile, 'utf8')).toMatch(/^\[.*\]\n$/);
    sink.release();
    await delivered;
    appendFileSync(logFile, '[1795000000000,2,"a@b.exa');
    const read = await allIn(logFile);
    expect(read).toMatchObject([
      { from: 'a@b.example', to: ['jose@x.example'], messageId: '<"odd\\">@x>', size: 32 },
    ]);
  });

  test('can be waited for', async () => {
    await sinkWith({});
    const two = sink.waitForAccepted(2, { timeoutMs: 1000 });
    await deliver({ to: ['a@me.com'], id: '<1@x>' }, { to: ['b@me.com'], id: '<2@x>' });
    await two;
    await sink.waitForAccepted(2, { timeoutMs: 1000 });
    await expect(sink.waitForAccepted(3, { timeoutMs: 1 })).rejects.toThrow(
      '2 of 3 messages accepted after 1 ms',
    );
  });
});

describe('a sink', () => {
  test('stops and starts again on its port, still counting', async () => {
    await sinkWith({});
    const { port } = sink;
    expect(await sink.start()).toEqual({ port });
    await deliver({ to: ['a@me.com'], id: '<1@x>' });
    await Promise.all([sink.stop(), sink.stop()]);
    await sink.stop();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    expect(await sink.start()).toEqual({ port });
    await deliver({ to: ['a@me.com'], id: '<1@x>' });
    expect(sink.accepted().messages).toBe(2);
  });

  test('says so when its port is taken', async () => {
    await sinkWith({});
    const other = createSmtpSink({ port: sink.port });
    await expect(other.start()).rejects.toThrow('EADDRINUSE');
    await other.stop();
  });

  test('counts the connections it has and had', async () => {
    await sinkWith({});
    const clients = [await RawClient.connect(sink.port), await RawClient.connect(sink.port)];
    for (const client of clients) await client.reply();
    expect(sink.connections).toEqual({ open: 2, maxSeen: 2, total: 2, interrupted: 0 });
    clients[0]!.close();
    await sink.waitForConnections(1, { timeoutMs: 1000 });
    await expect(sink.waitForConnections(0, { timeoutMs: 1 })).rejects.toThrow('1 connections open');
    await sink.stop();
    expect(sink.connections).toEqual({ open: 0, maxSeen: 2, total: 2, interrupted: 0 });
  });
});
