import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort, greetMysql, pingRedis, waitUntilReady } from './probe.mjs';

/** @type {import('node:net').Server[]} */
let servers = [];

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

/** @param {(socket: import('node:net').Socket) => void} onConnection */
async function listen(onConnection) {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { host: '127.0.0.1', port: /** @type {import('node:net').AddressInfo} */ (server.address()).port };
}

/** @param {Buffer} payload */
function packet(payload) {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

test("MySQL's greeting tells its version, also when it comes in pieces", async () => {
  const greeting = packet(Buffer.from('\x0a10.11.19-MariaDB\0rest of the handshake'));
  const address = await listen((socket) => {
    socket.write(greeting.subarray(0, 9));
    setTimeout(() => socket.write(greeting.subarray(9)), 5);
  });
  await expect(greetMysql(address)).resolves.toBe('10.11.19-MariaDB');
});

test('a refusal of MySQL is told in its own words', async () => {
  const refusal = packet(
    Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from('Too many connections')]),
  );
  const address = await listen((socket) => socket.end(refusal));
  await expect(greetMysql(address)).rejects.toThrow('Too many connections');
});

test('another kind of server is not taken for MySQL', async () => {
  const address = await listen((socket) => socket.end(packet(Buffer.from('hello'))));
  await expect(greetMysql(address)).rejects.toThrow('not MySQL');
});

test('Redis is asked with its password, and must answer with PONG', async () => {
  let heard = '';
  const address = await listen((socket) =>
    socket.on('data', (data) => {
      heard += data;
      socket.write('+OK\r\n');
      socket.write('+PONG\r\n');
    }),
  );
  await pingRedis(address, { password: 'sécret' });
  expect(heard).toBe('*2\r\n$4\r\nAUTH\r\n$7\r\nsécret\r\n*1\r\n$4\r\nPING\r\n');
});

test('a wrong password of Redis is an error', async () => {
  const address = await listen((socket) =>
    socket.on('data', () => socket.write('-WRONGPASS invalid\r\n-NOAUTH Authentication required.\r\n')),
  );
  await expect(pingRedis(address, { password: 'x' })).rejects.toThrow('WRONGPASS');
});

test('waiting ends at once when the server has ended, and in any case at the limit', async () => {
  const refused = { host: '127.0.0.1', port: await freePort() };
  const probe = () => greetMysql(refused);
  await expect(waitUntilReady(probe, { timeoutMs: 60_000, isHopeless: () => true })).rejects.toThrow(
    'it ended while starting',
  );
  await expect(waitUntilReady(probe, { timeoutMs: 30, isHopeless: () => false })).rejects.toThrow(
    /not ready after 0.03 s: .*ECONNREFUSED/,
  );
});
