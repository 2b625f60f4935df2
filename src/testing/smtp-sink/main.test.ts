import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type AcceptedMessage, readAcceptedLog } from './accepted-message.ts';
import { playDialogue, RawClient } from './raw-client.ts';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;
let child: ChildProcess | undefined;

/** Node 20 runs no TypeScript: the process is compiled here, apart from anybody's build. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sink-'));
  const compilerOptions = {
    noEmit: false,
    outDir: folder,
    rootDir: join(root, 'src'),
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const tsconfig = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    files: [join(import.meta.dirname, 'main.ts')],
    include: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    stdio: 'inherit',
  });
}, 60_000);

afterEach(() => child?.kill('SIGKILL'));
afterAll(() => rmSync(folder, { recursive: true }));

async function startSink(
  ...args: string[]
): Promise<{ process: ChildProcess; port: number; controlPort: number }> {
  child = spawn(process.execPath, [join(folder, 'testing/smtp-sink/main.js'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return { process: child, ...JSON.parse(line) };
}

async function deliver(port: number, to: string): Promise<void> {
  await playDialogue(
    await RawClient.connect(port),
    `S: 220 *
     C: HELO client.example
     S: 250 *
     C: MAIL FROM:<a@b.example>
     S: 250 *
     C: RCPT TO:<${to}>
     S: 250 *
     C: DATA
     S: 354 *
     C: Message-ID: <${to}>
     C:
     C: Hello
     C: .
     S: 250 *
     C: QUIT
     S: 221 *`,
  );
}

async function allIn(logFile: string): Promise<AcceptedMessage[]> {
  const all: AcceptedMessage[] = [];
  for await (const message of readAcceptedLog(logFile)) all.push(message);
  return all;
}

describe('the sink as a process', () => {
  test('is ready when it says so, and stops on SIGTERM', async () => {
    const sink = await startSink();
    expect(sink.controlPort).toBeUndefined();
    await deliver(sink.port, 'a@gmail.com');
    sink.process.kill('SIGTERM');
    expect(await once(sink.process, 'exit')).toEqual([0, null]);
  });

  test('goes with its parent', async () => {
    const sink = await startSink('--exit-with-stdin');
    sink.process.stdin!.end();
    expect(await once(sink.process, 'exit')).toEqual([0, null]);
  });

  test('leaves a complete log when it is killed', async () => {
    const logFile = join(folder, 'killed.log');
    const sink = await startSink('--log-file', logFile, '--memory', 'counters');
    await deliver(sink.port, 'a@gmail.com');
    await deliver(sink.port, 'b@gmail.com');
    sink.process.kill('SIGKILL');
    await once(sink.process, 'exit');
    const read = await allIn(logFile);
    expect(read.map(({ to, messageId }) => [to, messageId])).toEqual([
      [['a@gmail.com'], '<a@gmail.com>'],
      [['b@gmail.com'], '<b@gmail.com>'],
    ]);
  });

  test('is read and scripted over its control port', async () => {
    const { port, controlPort } = await startSink('--control-port', '0', '--keep-first', '1');
    const ask = async (method: string, path: string, body?: unknown): Promise<[number, unknown]> => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, { method, ...json });
      const isJson = response.headers.get('content-type')?.endsWith('json');
      return [response.status, isJson ? await response.json() : await response.text()];
    };
    const reached = ask('GET', '/wait?messages=2&timeoutMs=2000');
    await deliver(port, 'a@gmail.com');
    await deliver(port, 'a@gmail.com');
    expect(await reached).toMatchObject([
      200,
      {
        port,
        accepted: { messages: 2, recipients: 2, byDomain: { 'gmail.com': 2 }, duplicates: 1 },
        rules: [],
      },
    ]);
    expect(await ask('GET', '/wait?messages=3&timeoutMs=1')).toMatchObject([
      408,
      { detail: '2 of 3 messages accepted after 1 ms' },
    ]);
    expect(await ask('GET', '/messages/first')).toEqual([200, 'Message-ID: <a@gmail.com>\r\n\r\nHello\r\n']);
    expect(await ask('GET', '/addresses')).toEqual([200, { 'a@gmail.com': 2 }]);
    expect(await ask('GET', '/duplicates')).toEqual([200, ['a@gmail.com']]);
    expect(await ask('GET', '/nowhere')).toMatchObject([404, {}]);

    const stall = { id: 'it', stage: 'connect', action: { do: 'stall' } };
    expect(await ask('PUT', '/rules', [stall])).toEqual([200, {}]);
    expect(await ask('POST', '/rules', { stage: 'quit', action: { do: 'hangup' } })).toEqual([
      200,
      { id: 'rule-1' },
    ]);
    expect(await ask('POST', '/rules', { stage: 'quit', action: { do: 'sing' } })).toMatchObject([400, {}]);
    expect(await ask('POST', '/providers', { name: 'gmail', maxConnections: 3 })).toEqual([200, {}]);
    const client = await RawClient.connect(port);
    expect(await ask('GET', '/wait?rule=it&hits=1')).toMatchObject([
      200,
      { rules: [{ hits: 1 }, { hits: 0 }] },
    ]);
    expect(await ask('POST', '/release?rule=it')).toEqual([200, { released: 1 }]);
    expect(await client.reply()).toMatch(/^220/);
    client.close();
    expect(await ask('GET', '/wait?connections=0')).toMatchObject([200, { connections: { open: 0 } }]);
    expect(await ask('DELETE', '/accepted')).toEqual([200, {}]);
    expect(await ask('GET', '/state')).toMatchObject([200, { accepted: { messages: 0 } }]);
  });

  test('takes its script, its logins and its limits from the command line', async () => {
    const rules = join(folder, 'rules.json');
    writeFileSync(
      rules,
      JSON.stringify([{ stage: 'mail', action: { do: 'reply', code: 451, text: '4.3.0 Scripted' } }]),
    );
    const { port } = await startSink(
      '--rules',
      rules,
      '--user',
      'u',
      '--pass',
      'p',
      '--no-starttls',
      '--max-connections',
      '1',
    );
    const client = await RawClient.connect(port);
    await client.reply();
    expect(await client.ask('EHLO c')).toMatch(/AUTH PLAIN LOGIN/);
    expect(await client.ask('MAIL FROM:<a@b.example>')).toBe('451 4.3.0 Scripted');
    expect(await (await RawClient.connect(port)).reply()).toMatch(/^421/);
  });
});
