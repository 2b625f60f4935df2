import { afterEach, describe, expect, test } from 'vitest';
import { greet, sendMessage } from './message-steps.ts';
import type { SinkOptions } from './options.ts';
import { playDialogue, RawClient } from './raw-client.ts';
import type { Action, Rule, Stage } from './rule.ts';
import { createSmtpSink, type SmtpSink } from './sink.ts';

let sink: SmtpSink;
afterEach(() => sink.stop());

async function sinkWith(rules: readonly Rule[], options: SinkOptions = {}): Promise<number> {
  sink = createSmtpSink({ ...options, rules });
  return (await sink.start()).port;
}

async function clientOf(rules: readonly Rule[], options: SinkOptions = {}): Promise<RawClient> {
  return RawClient.connect(await sinkWith(rules, options));
}

/** What a client does before the command of a stage, and that command. */
const ways: Readonly<Partial<Record<Stage, readonly string[]>>> = {
  connect: [],
  ehlo: ['EHLO client.example'],
  mail: ['HELO c', 'MAIL FROM:<a@b.example>'],
  rcpt: ['HELO c', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>'],
  data: ['HELO c', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA'],
  dot: ['HELO c', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA', 'Hello\r\n.'],
  rset: ['RSET'],
  noop: ['NOOP'],
  vrfy: ['VRFY x'],
  quit: ['QUIT'],
};

/** A connection up to where the reply of the stage would come, each earlier one read before the next command is sent. */
async function reach(stage: Stage, action: Action): Promise<RawClient> {
  const client = await clientOf([{ id: 'it', stage, action }]);
  await walkTo(client, stage);
  return client;
}

async function walkTo(client: RawClient, stage: Stage): Promise<void> {
  for (const command of ways[stage] ?? []) {
    await client.reply();
    await client.send(`${command}\r\n`);
  }
}

const replyStages: readonly Stage[] = [
  'connect',
  'ehlo',
  'mail',
  'rcpt',
  'data',
  'dot',
  'rset',
  'noop',
  'vrfy',
  'quit',
];

describe.each(replyStages)('at %s', (stage) => {
  test('the sink says 421 and closes', async () => {
    const client = await reach(stage, {
      do: 'reply',
      code: 421,
      text: '4.3.2 Going down\n4.3.2 for a while',
    });
    expect(await client.reply()).toBe('421-4.3.2 Going down\n421 4.3.2 for a while');
    expect(await client.ending).toBe('fin');
    expect(sink.accepted().messages).toBe(0);
  });

  test('the sink hangs up', async () => {
    const client = await reach(stage, { do: 'hangup' });
    expect(await client.ending).toBe('fin');
    await expect(client.line()).rejects.toThrow('The connection ended');
  });

  test('the sink resets', async () => {
    const client = await reach(stage, { do: 'reset', delayMs: 5 });
    expect(await client.ending).toBe('reset');
    await expect(client.line()).rejects.toThrow('The connection ended');
  });

  test('the sink says nothing until it is released, and notices when the client leaves', async () => {
    const client = await reach(stage, { do: 'stall' });
    await sink.waitForHits('it', 1, { timeoutMs: 1000 });
    expect(sink.release('it')).toBe(1);
    expect(await client.reply()).toMatch(/^[23]/);

    const leaver = await RawClient.connect(sink.port);
    await walkTo(leaver, stage);
    await sink.waitForHits('it', 2, { timeoutMs: 1000 });
    leaver.close();
    client.close();
    await sink.waitForConnections(0, { timeoutMs: 1000 });
    expect(sink.release()).toBe(0);
  });

  test('the sink talks garbage, and goes on', async () => {
    const client = await reach(stage, { do: 'garbage', bytes: 20 });
    expect(await client.line()).toMatch(/^[\u0080-\u00ff]{20}$/);
    expect(await client.ask('NOOP')).toMatch(stage === 'noop' ? /^[\u0080-\u00ff]+$/ : /^250/);
    expect(sink.accepted().messages).toBe(0);
  });

  test('the sink answers late, slowly or in pieces, and all the same', async () => {
    const acts: readonly Action[] = [
      { do: 'delay', ms: 5 },
      { do: 'drip', everyMs: 0 },
      { do: 'split', sizes: [1, 3] },
    ];
    for (const action of acts) {
      const client = await reach(stage, action);
      expect(await client.reply()).toMatch(/^(220|250|252|354|221)[ -]/);
      if (action.do === 'split') expect(client.chunksReceived).toBeGreaterThan(3);
      client.close();
      await sink.stop();
    }
  });
});

describe('a reply of the script', () => {
  test('refuses one recipient and lets the others through', async () => {
    const client = await clientOf([
      {
        stage: 'rcpt',
        when: { toAddress: 'gone@d.example' },
        action: { do: 'reply', code: 550, text: '5.1.1 Gone' },
      },
    ]);
    await greet(client);
    await playDialogue(
      client,
      `C: MAIL FROM:<a@b.example>
       C: RCPT TO:<gone@d.example>
       C: RCPT TO:<here@d.example>
       C: DATA
       C: .
       S: 250 *
       S: 550 5.1.1 Gone
       S: 250 *
       S: 354 *
       S: 250 *`,
    );
    expect(sink.accepted().log[0]!.to).toEqual(['here@d.example']);
  });

  test.each<[Stage, number]>([
    ['mail', 451],
    ['rcpt', 450],
    ['data', 451],
    ['dot', 554],
  ])('at %s leaves the connection usable', async (stage, code) => {
    const client = await reach(stage, { do: 'reply', code, text: 'No' });
    expect(await client.reply()).toBe(`${code} No`);
    sink.setRules([]);
    expect(await client.ask('RSET')).toMatch(/^250/);
    expect(await sendMessage(client)).toMatch(/^250/);
    expect(sink.accepted().messages).toBe(1);
  });

  test("may be in the words of the recipient's provider", async () => {
    const client = await clientOf([
      { stage: 'rcpt', when: { provider: 'icloud' }, action: { do: 'say', refusal: 'mailboxFull' } },
    ]);
    await greet(client);
    await client.ask('MAIL FROM:<a@b.example>');
    expect(await client.ask('RCPT TO:<zoe@me.com>')).toBe('450 4.2.2 <zoe@me.com>: user is overquota');
  });

  test('may be two replies at once, which puts all later ones out of step', async () => {
    const client = await clientOf([
      { stage: 'mail', action: { do: 'raw', bytes: '250 One\r\n250 Two\r\n', takesEffect: true } },
    ]);
    await greet(client);
    expect(await client.ask('MAIL FROM:<a@b.example>')).toBe('250 One');
    expect(await client.ask('RCPT TO:<c@d.example>')).toBe('250 Two');
    expect(await client.reply()).toMatch(/^250 2.1.5/);
  });

  test('may close the connection with any code', async () => {
    const client = await clientOf([
      { stage: 'connect', action: { do: 'reply', code: 554, text: 'No SMTP service here', close: true } },
    ]);
    expect(await client.reply()).toBe('554 No SMTP service here');
    expect(await client.ending).toBe('fin');
  });

  test('for AUTH spares the right credentials nothing', async () => {
    const rules: Rule[] = [
      { stage: 'auth', times: 1, action: { do: 'reply', code: 454, text: '4.7.0 Later' } },
    ];
    const client = await clientOf(rules, { credentials: { user: 'u', pass: 'p' } });
    await greet(client);
    const command = `AUTH PLAIN ${Buffer.from('\0u\0p').toString('base64')}`;
    expect(await client.ask(command)).toBe('454 4.7.0 Later');
    expect(await client.ask(command)).toMatch(/^235/);
  });
});

describe('limits', () => {
  test('of connections turn the next one away', async () => {
    const port = await sinkWith([], { maxConnections: 1 });
    const first = await RawClient.connect(port);
    await greet(first);
    const second = await RawClient.connect(port);
    expect(await second.reply()).toMatch(/^421 4.7.0 Too many connections/);
    expect(await second.ending).toBe('fin');
    expect(sink.connections).toMatchObject({ maxSeen: 2, total: 2 });
    expect(await first.ask('NOOP')).toMatch(/^250/);
  });

  test('of a provider are kept in its own words, and change while the sink runs', async () => {
    const client = await clientOf([], {
      providers: [{ name: 'outlook', messagesPerSecond: 0.001 }],
      clock: { now: () => 0, monotonic: () => 0 },
    });
    await greet(client);
    expect(await sendMessage(client, 'a@hotmail.com')).toMatch(/^250 2.6.0 <1@sender.example> \[InternalId=/);
    await client.ask('MAIL FROM:<a@b.example>');
    expect(await client.ask('RCPT TO:<b@live.com>')).toMatch(/^451 4.7.650 The mail server \[192.0.2.1\]/);
    expect(await client.ask('RCPT TO:<b@gmail.com>')).toMatch(/^250/);
    sink.limitProvider({ name: 'outlook' });
    expect(await client.ask('RCPT TO:<b@live.com>')).toMatch(/^250/);
    sink.limitProvider({ name: 'gmail', maxConnections: 0 });
    expect(await client.ask('RCPT TO:<c@gmail.com>')).toMatch(
      /^421 4.7.0 Try again later, closing connection/,
    );
    expect(await client.ending).toBe('fin');
    await sink.waitForConnections(0, { timeoutMs: 1000 });
    expect(sink.providers()).toMatchObject({
      outlook: { attempts: 3, refusedTooFast: 1, openConnections: 0 },
      gmail: { attempts: 2, refusedTooManyConnections: 1 },
    });
  });

  test('of idle time end a connection that has nothing to say', async () => {
    const client = await clientOf([], { idleTimeoutMs: 20 });
    expect(await client.reply()).toMatch(/^220/);
    expect(await client.reply()).toMatch(/^421 4.4.2/);
    expect(await client.ending).toBe('fin');
  });
});
