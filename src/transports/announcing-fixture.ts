/** For the tests of announced messages: a server that says what a script says, over whose words and time a test has every say. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, vi } from 'vitest';
import type { Courier, OutboundMessage, Outcome, Transport } from './contract.ts';
import { configurationFor, messageTo, openSockets } from './smtp-fixture.ts';
import type { TransportLimits } from './smtp-settings.ts';
import { smtpTransport } from './smtp-transport.ts';

/** What is answered to the nth message's MAIL, RCPT, DATA or dot, from 0; undefined: what a server does. */
export type Script = (turn: string, n: number, socket: Socket) => string | undefined;

let server: Server;
let transport: Transport;
export let courier: Courier;
let sockets: Socket[];
/** All that was received behind EHLO, chunk by chunk. */
export let received: string[];

const defaults: Readonly<Record<string, string>> = {
  MAIL: '250 OK\r\n',
  RCPT: '250 OK\r\n',
  DATA: '354 Go\r\n',
  RSET: '250 OK\r\n',
  QUIT: '221 Bye\r\n',
  '.': '250 Taken\r\n',
};

export interface Setup {
  readonly limits?: Partial<TransportLimits>;
  readonly settings?: Record<string, unknown>;
  readonly ehlo?: string;
  readonly say?: (socket: Socket, answer: string) => void;
}

export const sayAtOnce = (socket: Socket, answer: string) => void (socket.writable && socket.write(answer));

export async function sayByteByByte(socket: Socket, answer: string): Promise<void> {
  for (const byte of answer) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function start(
  script: Script,
  { limits, settings, ehlo, say = sayAtOnce }: Setup = {},
): Promise<void> {
  // Only what a test says is slow: a busy machine is not.
  vi.spyOn(performance, 'now').mockReturnValue(1_000);
  received = [];
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}).setNoDelay());
    socket.write('220 odd.example\r\n');
    let isInBody = false;
    let n = 0;
    let rest = '';
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (text.startsWith('EHLO'))
        return void socket.write(ehlo ?? '250-odd.example\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n');
      received.push(text);
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      let answer = '';
      for (const line of lines) {
        if (isInBody && line !== '.') continue;
        const turn = line.slice(0, 4);
        const words = script(turn, n, socket) ?? defaults[turn] ?? '';
        if (turn === 'DATA') isInBody = words.startsWith('354');
        if (turn === '.') isInBody = false;
        if (turn === '.' || turn === 'RSET') n++;
        answer += words;
      }
      if (answer !== '') say(socket, answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  transport = smtpTransport(
    configurationFor(address.port, { ...(limits && { limits }), ...(settings && { settings }) }),
  );
  await reopen();
}

/** Another connection of the same transport. */
export async function reopen(): Promise<void> {
  await courier?.close();
  const opened = await transport.open();
  if (opened.kind === 'failed') throw new Error(JSON.stringify(opened.failure));
  courier = opened.courier;
}

/** Fails when a connection is left open. */
export async function stop(): Promise<void> {
  vi.restoreAllMocks();
  await courier.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await expect.poll(openSockets).toBe(0);
}

const always = () => true;
export const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((who) => messageTo(`${who}@example.org`, 10)) as [
  OutboundMessage,
  OutboundMessage,
  OutboundMessage,
  OutboundMessage,
];
export const envelopeOf = ({ rendered, compiled }: OutboundMessage) => {
  const size = [...rendered.parts].reduce<number>(
    (sum, part) => sum + (typeof part === 'number' ? (compiled.segments[part]?.length ?? 0) : part.length),
    0,
  );
  return `MAIL FROM:<bounce@sender.example> SIZE=${size}\r\nRCPT TO:<${rendered.to}>\r\nDATA\r\n`;
};
export const bodyOf = ({ rendered, compiled }: OutboundMessage) =>
  `${rendered.parts.map((part) => (typeof part === 'number' ? compiled.segments[part] : part)?.toString()).join('')}.\r\n`;

export async function deliver(
  message: OutboundMessage,
  next?: OutboundMessage | (() => OutboundMessage | undefined),
  mayStart = always,
): Promise<Outcome> {
  const asked = typeof next === 'function' ? next : () => next;
  const [outcome] = await courier.deliver([message], mayStart, asked);
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

/** One to learn that the server answers promptly, and one with another behind it. */
export async function announceC(): Promise<Outcome> {
  await deliver(a);
  return deliver(b, c);
}

/** What the server has heard since the envelope of c. */
export const heardOfC = () => received.join('').split(envelopeOf(c))[1];
