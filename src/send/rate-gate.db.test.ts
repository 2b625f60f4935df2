import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestRedis, type TestRedis } from '../testing/test-database.ts';
import { createRateGate, type RateGate } from './rate-gate.ts';

let redis: TestRedis;
let gate: RateGate;
let transports = 0;
beforeAll(async () => {
  redis = await createTestRedis();
  gate = createRateGate(redis.redis, redis.prefix);
});
afterAll(() => redis.drop());

/** As the bucket stands when nothing has been taken for `ms`. */
async function idle(transportId: number, ms: number): Promise<void> {
  const key = `${redis.prefix}:rate:${transportId}`;
  await redis.redis.set(key, String(Number(await redis.redis.get(key)) - ms * 1000));
}

test('a bucket that is new or was lost begins cold: one message, not a burst', async () => {
  const id = ++transports;
  expect(await gate.take(id, 1_000, 500)).toEqual({ granted: 1, waitMs: 0 });
  await redis.redis.del(`${redis.prefix}:rate:${id}`);
  expect((await gate.take(id, 1_000, 500)).granted).toBe(1);
});

test('after a rest it gives a tenth of a second at once, however long the rest was', async () => {
  const id = ++transports;
  await gate.take(id, 100, 1);
  await idle(id, 3_600_000);
  expect((await gate.take(id, 100, 500)).granted).toBe(10);
});

test('it says how long the next one takes, and no message is counted that was not granted', async () => {
  const id = ++transports;
  await gate.take(id, 2, 1);
  const first = await gate.take(id, 2, 5);
  expect(first.granted).toBe(0);
  expect(first.waitMs).toBeGreaterThan(400);
  expect(first.waitMs).toBeLessThanOrEqual(500);
  const second = await gate.take(id, 2, 5);
  expect(second.waitMs).toBeLessThanOrEqual(first.waitMs);
});

test('many takers together get the rate, not more', async () => {
  const id = ++transports;
  const perSecond = 200;
  const started = performance.now();
  let granted = 0;
  while (performance.now() - started < 1_000) {
    const tokens = await Promise.all([1, 2, 3].map(() => gate.take(id, perSecond, 64)));
    granted += tokens.reduce((sum, token) => sum + token.granted, 0);
  }
  const seconds = (performance.now() - started) / 1_000;
  expect(granted).toBeLessThanOrEqual(perSecond * seconds + perSecond / 10 + 1);
  expect(granted).toBeGreaterThan(perSecond * seconds * 0.8);
});

test('less than one a second is held, too', async () => {
  const id = ++transports;
  expect((await gate.take(id, 0.01, 1)).granted).toBe(1);
  const { granted, waitMs } = await gate.take(id, 0.01, 1);
  expect(granted).toBe(0);
  expect(waitMs).toBeGreaterThan(99_000);
  expect(await redis.redis.pttl(`${redis.prefix}:rate:${id}`)).toBeGreaterThan(waitMs);
});

test('transports have buckets of their own', async () => {
  const [a, b] = [++transports, ++transports];
  await gate.take(a, 1, 1);
  expect((await gate.take(b, 1, 1)).granted).toBe(1);
});
