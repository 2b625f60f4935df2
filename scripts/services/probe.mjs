import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** @typedef {{ host: string, port: number, isTls?: boolean }} Address */

const PROBE_TIMEOUT_MS = 5_000;

/**
 * MySQL speaks first: a packet whose payload starts with the protocol version (10) and the server's version.
 * @param {Address} address
 * @returns {Promise<string>} the server's version
 */
export async function greetMysql(address) {
  const greeting = await converse(
    address,
    '',
    (bytes) => bytes.length > 4 && bytes.length >= 4 + bytes.readUIntLE(0, 3),
  );
  if (greeting[4] === 0xff) throw new Error(`refused: ${greeting.subarray(7).toString('latin1')}`);
  if (greeting[4] !== 10) throw new Error('what answers there is not MySQL');
  return greeting.toString('latin1', 5, greeting.indexOf(0, 5));
}

/**
 * @param {Address} address
 * @param {{ username?: string, password?: string }} login
 */
export async function pingRedis(address, { username = '', password = '' } = {}) {
  const commands = [['PING']];
  if (password) commands.unshift(['AUTH', ...(username ? [username] : []), password]);
  const isComplete = (/** @type {Buffer} */ bytes) => String(bytes).split('\r\n').length > commands.length;
  const reply = String(await converse(address, commands.map(resp).join(''), isComplete));
  if (!reply.endsWith('+PONG\r\n')) throw new Error(`answered ${reply.trim()} to PING`);
}

/** A port that is free now. Another process may take it before its user does, who then tries another. */
export function freePort() {
  return new Promise((/** @type {(port: number) => void} */ resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(address.port));
    });
  });
}

/**
 * Probes until one succeeds.
 * @param {() => Promise<unknown>} probe
 * @param {{ timeoutMs: number, isHopeless: () => boolean }} limits
 */
export async function waitUntilReady(probe, { timeoutMs, isHopeless }) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      if (isHopeless()) throw new Error('it ended while starting');
      if (performance.now() > deadline) {
        throw new Error(`not ready after ${timeoutMs / 1000} s: ${/** @type {Error} */ (error).message}`);
      }
      await sleep(20);
    }
  }
}

/** @param {string[]} parts of a Redis command */
function resp(parts) {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

/**
 * Connects, says something, and returns what came back once it is complete.
 * @param {Address} address
 * @param {string} words
 * @param {(received: Buffer) => boolean} isComplete
 * @returns {Promise<Buffer>}
 */
function converse({ host, port, isTls = false }, words, isComplete) {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = isTls ? connectTls({ host, port, servername: host }) : connect({ host, port });
    const end = (/** @type {Error | undefined} */ error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve(received);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(new Error('no answer within 5 s')));
    if (words) socket.write(words);
    socket.on('error', end);
    socket.on('close', () => end(new Error('closed the connection without an answer')));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (isComplete(received)) end(undefined);
    });
  });
}
