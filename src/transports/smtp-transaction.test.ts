/** What goes over the wire, to the byte, against servers that no well-behaved sink would play. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Courier } from './contract.ts';
import { configurationFor, deliverTo, messageTo, openSockets } from './smtp-fixture.ts';
import type { TransportLimits } from './smtp-settings.ts';
import { smtpTransport } from './smtp-transport.ts';

/** What it answers to a command's verb, or to `.` for a message's end; nothing when it has no answer. */
type Script = Readonly<Record<string, string | ((socket: Socket) => string)>>;

let server: Server;
let courier: Courier;
/** All that was received behind EHLO, chunk by chunk. */
let received: string[];
let sockets: Socket[];

async function start(script: Script, limits: Partial<TransportLimits> = {}): Promise<void> {
  received = [];
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.write('220 odd.example\r\n');
    let isInBody = false;
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (!text.startsWith('EHLO')) received.push(text);
      const turns = isInBody
        ? [text.endsWith('.\r\n') ? '.' : '']
        : text.split('\r\n').map((line) => line.slice(0, 4));
      let answer = '';
      for (const turn of turns) {
        const said = script[turn] ?? defaults[turn] ?? '';
        const words = typeof said === 'string' ? said : said(socket);
        if (turn === 'DATA') isInBody = words.startsWith('354');
        if (turn === '.') isInBody = false;
        answer += words;
      }
      if (answer !== '' && socket.writable) socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  const opened = await smtpTransport(configurationFor(address.port, { limits })).open();
  if (opened.kind === 'failed') throw new Error(JSON.stringify(opened.failure));
  courier = opened.courier;
}

const defaults: Script = {
  EHLO: '250-odd.example\r\n250 PIPELINING\r\n',
  MAIL: '250 OK\r\n',
  RCPT: '250 OK\r\n',
  DATA: '354 Go\r\n',
  RSET: '250 OK\r\n',
  QUIT: '221 Bye\r\n',
  '.': '250 Taken\r\n',
};

const envelope = 'MAIL FROM:<bounce@sender.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n';

afterEach(async () => {
  await courier.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await expect.poll(openSockets).toBe(0);
});

it('says MAIL, RCPT and DATA in one write, and nothing more before the 354', async () => {
  await start({});
  expect(await deliverTo(courier, 'a@example.org', 10)).toMatchObject({ kind: 'accepted' });
  expect(received[0]).toBe(envelope);
});

it('says one thing at a time to a server that does not offer PIPELINING', async () => {
  await start({ EHLO: '250 odd.example\r\n' });
  expect(await deliverTo(courier, 'a@example.org', 10)).toMatchObject({ kind: 'accepted' });
  expect(received.slice(0, 3).join('')).toBe(envelope);
  expect(received.length).toBe(4);
});

it('announces what the server wants announced', async () => {
  await start({
    EHLO: '250-odd.example\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n',
  });
  await deliverTo(courier, 'a@example.org', 10);
  await deliverTo(courier, 'ä@example.org', 10);
  expect(received[0]).toMatch(/^MAIL FROM:<bounce@sender\.example> SIZE=\d+\r\n/);
  expect(received[2]).toMatch(
    /^MAIL FROM:<bounce@sender\.example> SMTPUTF8 BODY=8BITMIME SIZE=\d+\r\nRCPT TO:<Ã¤@/,
  );
});

it('doubles dots and ends every line with CRLF, in one write with the final dot', async () => {
  await start({});
  const message = messageTo('a@example.org');
  const parts = ['.a\r\n', '..\r', '.b\nc\r', '\n', '.'].map((text) => Buffer.from(text));
  await courier.deliver([{ ...message, rendered: { ...message.rendered, parts } }], () => true);
  expect(received).toEqual([envelope, '..a\r\n...\r\n..b\r\nc\r\n..\r\n.\r\n']);
});

it('ends the message for nobody that a server wants whose recipient was refused, and goes on', async () => {
  await start({ RCPT: '550 5.1.1 Unknown\r\n', '.': '554 5.5.1 Nobody\r\n' });
  const outcome = await deliverTo(courier, 'a@example.org');
  expect(outcome).toMatchObject({ kind: 'rejected', class: 'address', reply: { enhanced: '5.1.1' } });
  expect(received.slice(0, 2)).toEqual([envelope, '.\r\n']);
  expect(courier.isUsable).toBe(true);
  expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'rejected' });
  expect(received.slice(2, 5)).toEqual(['RSET\r\n', envelope, '.\r\n']);
});

it('gives not even an empty message to a server that refused the sender and wants one', async () => {
  await start({ MAIL: '550 5.7.1 Not you\r\n' });
  expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'rejected', class: 'policy' });
  expect(courier.isUsable).toBe(false);
  expect(received).toEqual([envelope]);
});

const unknownUser = '550 5.1.1 Unknown\r\n';
const saying = (words: string, andThen: 'hang up' | 'go on') => (socket: Socket) => {
  if (andThen === 'hang up') socket.end(words);
  else socket.write(words);
  return '';
};

it.each([
  ['hangs up', { MAIL: saying(unknownUser, 'hang up'), RCPT: '', DATA: '' }, 'message'],
  [
    'hangs up, having taken the sender',
    { MAIL: saying('250 OK\r\n', 'go on'), RCPT: saying(unknownUser, 'hang up'), DATA: '' },
    'address',
  ],
  ['says nothing more', { RCPT: unknownUser, DATA: '' }, 'address'],
  ['makes no sense any more', { RCPT: unknownUser, DATA: 'what?\r\n' }, 'address'],
  ['ends the session', { RCPT: unknownUser, DATA: '421 4.3.2 Bye\r\n' }, 'address'],
  ['does not answer the empty message', { RCPT: unknownUser, '.': '' }, 'address'],
] satisfies [string, Script, string][])(
  'keeps a refusal of a server that then %s',
  async (_, script, replyClass) => {
    await start(script, { envelopeTimeoutMs: 200 });
    expect(await deliverTo(courier, 'a@example.org')).toMatchObject({
      kind: 'rejected',
      class: replyClass,
      reply: { code: 550 },
    });
    expect(courier.isUsable).toBe(false);
  },
);

it('tells a refusal of the message that came behind the 354 from one that answers it', async () => {
  await start({ DATA: '354 Go\r\n554 5.7.1 No\r\n' });
  expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'untransmitted' });
  expect(received).toEqual([envelope]);
});

it('does not begin where the server has spoken unasked', async () => {
  await start({ EHLO: '250-odd.example\r\n250 PIPELINING\r\n250 OK\r\n' });
  expect(courier.isUsable).toBe(false);
  expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'untransmitted' });
  expect(received).toEqual([]);
});

it('gives a server up whose reply has no end', async () => {
  await start({ DATA: '354-Go\r\n'.repeat(20_000) });
  expect(await deliverTo(courier, 'a@example.org')).toMatchObject({ kind: 'untransmitted' });
  expect(courier.isUsable).toBe(false);
});
