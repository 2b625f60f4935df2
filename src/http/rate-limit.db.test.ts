import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { createTestRedis } from '../testing/test-database.ts';
import { addressKey, createRateLimit } from './rate-limit.ts';
import { defineRoute, json } from './route.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({
    environment: { HTTP_REQUESTS_PER_SECOND: '3' },
    routes: () => [
      defineRoute({
        ...{ method: 'get', path: '/v1/t', operationId: 't', summary: 't', tag: 'T', access: 'lists:read' },
        responses: { 204: { description: 'ok' } },
        handle: async () => json(204),
      }),
    ],
  });
});
afterAll(() => api.stop());

test('a key over its limit is told when to come back; another key is not in its way', async () => {
  const [loud, quiet] = await Promise.all([api.createTenant(), api.createTenant()]);
  const replies = await Promise.all(Array.from({ length: 12 }, () => loud.get('/v1/t')));
  const refused = replies.find((reply) => reply.status === 429);
  expect(refused).toMatchObject({ body: { code: 'rate_limited' } });
  expect(refused?.headers.get('retry-after')).toBe('1');
  expect(refused?.headers.get('ratelimit-remaining')).toBe('0');
  const served = await quiet.get('/v1/t');
  expect(served.status).toBe(204);
  expect(served.headers.get('ratelimit-limit')).toBe('3');
  expect(served.headers.get('ratelimit-remaining')).toBe('2');
  expect(served.headers.get('ratelimit-reset')).toBe('1');
});

test('an address that guesses keys is stopped', async () => {
  const guess = (i: number) => ({ headers: { Authorization: `Bearer sk_${String(i).padStart(43, 'a')}` } });
  const replies = await Promise.all(
    Array.from({ length: 12 }, (_, i) => api.anonymous.get('/v1/t', guess(i))),
  );
  const statuses = replies.map((reply) => reply.status);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
});

test('processes share one count', async () => {
  const { redis, prefix, drop } = await createTestRedis();
  const [one, two] = [1, 2].map(() => createRateLimit({ redis, prefix, requestsPerSecond: 2 }));
  const response = { setHeader() {} } as never;
  await one?.charge(response, 'k');
  await two?.charge(response, 'k');
  await expect(one?.charge(response, 'k')).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: 1,
  });
  expect(() => one?.assertNotSpent('k')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  expect(() => one?.assertNotSpent('other')).not.toThrow();
  await drop();
});

test('without Redis each process counts for itself', async () => {
  const redis = new Redis({
    port: 1,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  const limit = createRateLimit({ redis, prefix: 'away', requestsPerSecond: 2 });
  const response = { setHeader() {} } as never;
  await limit.charge(response, 'k');
  await limit.charge(response, 'k');
  await expect(limit.charge(response, 'k')).rejects.toMatchObject({ code: 'rate_limited' });
  redis.disconnect();
});

test('addresses are told apart by what one caller has', () => {
  expect(addressKey('::ffff:192.0.2.1')).toBe('ip-192.0.2.1');
  expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe('ip-2001-db8-1-2');
  expect(addressKey('2001:db8::6')).toBe('ip-2001-db8-0-0');
  expect(addressKey('::1')).toBe('ip-0-0-0-0');
  expect(addressKey('fe80::1%eth0')).toBe('ip-fe80-0-0-0');
  expect(addressKey(undefined)).toBe('ip-unknown');
});
