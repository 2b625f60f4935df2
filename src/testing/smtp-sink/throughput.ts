/**
 * How fast is the sink? Runs it as a process of its own and talks to it over loopback with raw sockets:
 *
 *   node dist/src/testing/smtp-sink/throughput.js [--messages 100000] [--connections 20] [--bytes 10240] [--log-file path]
 *
 * Twice: `turns` waits for each reply, as nodemailer does; `pipelined` sends MAIL, RCPT and DATA in one write. Prints one JSON line
 * each, with the sink's own CPU time per message, which is what the sink costs whatever the client manages to send.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { SinkState } from './sink-state.ts';

interface Load {
  readonly messages: number;
  readonly connections: number;
  readonly message: Buffer;
  readonly isPipelined: boolean;
}

interface Write {
  readonly bytes: string | Buffer;
  readonly replies: number;
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '20' },
    bytes: { type: 'string', default: '10240' },
    'log-file': { type: 'string' },
  },
});

const message = newMessage(Number(values.bytes));
for (const isPipelined of [false, true]) {
  const load = {
    messages: Number(values.messages),
    connections: Number(values.connections),
    message,
    isPipelined,
  };
  process.stdout.write(`${JSON.stringify(await measure(load))}\n`);
}

async function measure(load: Load): Promise<Record<string, unknown>> {
  const logFile = values['log-file'];
  const main = new URL(import.meta.url.replace(/throughput(\.\w+)$/, 'main$1')).pathname;
  const args = [main, '--control-port', '0', '--memory', 'counters', '--exit-with-stdin'];
  const sink = spawn(process.execPath, logFile === undefined ? args : [...args, '--log-file', logFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: sink.stdout }), 'line');
  const { port, controlPort } = JSON.parse(line);
  const idle = await readState(controlPort);
  const startedAt = performance.now();
  await sendAll(port, load);
  const seconds = (performance.now() - startedAt) / 1000;
  const state = await readState(controlPort);
  sink.stdin.end();
  await once(sink, 'exit');
  return {
    dialogue: load.isPipelined ? 'pipelined' : 'turns',
    messages: state.accepted.messages,
    messagesPerSecond: Math.round(state.accepted.messages / seconds),
    sinkCpuMicrosPerMessage: Math.round(((state.cpuMs - idle.cpuMs) * 1000) / state.accepted.messages),
    sinkRssMb: Math.round(state.rssBytes / 1024 / 1024),
  };
}

async function readState(controlPort: number): Promise<SinkState> {
  const response = await fetch(`http://127.0.0.1:${controlPort}/state`);
  return (await response.json()) as SinkState;
}

async function sendAll(port: number, load: Load): Promise<void> {
  const budget = { left: load.messages };
  await Promise.all(Array.from({ length: load.connections }, () => sendOn(port, load, budget)));
}

/** One connection. All replies the sink gives here are of one line, so that counting lines is enough. */
async function sendOn(port: number, load: Load, budget: { left: number }): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const dialogue = play(load, budget);
  let awaited = 1;
  socket.on('data', (chunk: Buffer) => {
    awaited -= countLines(chunk);
    const next = awaited > 0 ? undefined : dialogue.next();
    if (next === undefined || next.done) return;
    awaited = next.value.replies;
    socket.write(next.value.bytes);
  });
  await once(socket, 'close');
}

function* play(load: Load, budget: { left: number }): Generator<Write, void> {
  yield { bytes: 'HELO client.example\r\n', replies: 1 };
  const writes = writesOf(load);
  while (budget.left-- > 0) yield* writes;
  yield { bytes: 'QUIT\r\n', replies: 1 };
}

function writesOf({ message: body, isPipelined }: Load): readonly Write[] {
  const mail = 'MAIL FROM:<bench@sender.example>\r\n';
  const rcpt = 'RCPT TO:<someone@gmail.com>\r\n';
  const data = 'DATA\r\n';
  const last = { bytes: body, replies: 1 };
  if (isPipelined) return [{ bytes: mail + rcpt + data, replies: 3 }, last];
  return [...[mail, rcpt, data].map((bytes) => ({ bytes, replies: 1 })), last];
}

function newMessage(size: number): Buffer {
  const header = 'From: <bench@sender.example>\r\nMessage-ID: <1@sender.example>\r\nSubject: Bench\r\n\r\n';
  const line = `${'All work and no play makes for a dull inbox. '.repeat(2).slice(0, 74)}\r\n`;
  const body = line.repeat(Math.max(1, Math.ceil((size - header.length) / line.length)));
  return Buffer.from(`${header}${body}.\r\n`);
}

function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
  return lines;
}
