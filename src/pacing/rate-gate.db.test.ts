import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisClient } from '../platform/redis.ts';
import { createTestRedis, silentLog, type TestRedis } from '../testing/test-database.ts';
import { type Bucket, createRateGate, type RateGate } from './rate-gate.ts';

let redis: TestRedis;
let gate: RateGate;
let names = 0;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

beforeAll(async () => {
  redis = await createTestRedis();
  gate = gateWith(redis.redis, 1);
});
afterAll(() => redis.drop());

function gateWith(connection: RedisClient, workers: number): RateGate {
  const { prefix } = redis;
  return createRateGate({ redis: connection, prefix, clock, workers: () => workers, log: silentLog });
}

function bucket(perSecond: number): Bucket {
  return { name: `d:${++names}`, perSecond };
}

function keyOf({ name }: Bucket): string {
  return `${redis.prefix}:rate:${name}`;
}

/** As the bucket stands when nothing has been taken for `ms`. */
async function idle(taken: Bucket, ms: number): Promise<void> {
  await redis.redis.set(keyOf(taken), String(Number(await redis.redis.get(keyOf(taken))) - ms * 1000));
}

describe('a bucket', () => {
  test('that is new or was lost begins cold: one message, not a burst', async () => {
    const one = bucket(1_000);
    expect((await gate.take([one], 500)).granted).toBe(1);
    await redis.redis.del(keyOf(one));
    expect((await gate.take([one], 500)).granted).toBe(1);
  });

  test('gives a tenth of a second at once after a rest, however long the rest was', async () => {
    const one = bucket(100);
    await gate.take([one], 1);
    await idle(one, 3_600_000);
    expect((await gate.take([one], 500)).granted).toBe(10);
  });

  test('of any slow rate has its token, after a rest too', async () => {
    for (let perSecond = 0.5; perSecond < 12; perSecond *= 1.037) {
      const one = bucket(perSecond);
      expect((await gate.take([one], 1)).granted).toBe(1);
      await idle(one, 60_000);
      expect(await gate.take([one], 1)).toEqual({ granted: 1, waitMs: 0 });
    }
  });

  test('says how long the next one takes, and counts no message that was not granted', async () => {
    const one = bucket(2);
    await gate.take([one], 1);
    const first = await gate.take([one], 5);
    expect(first).toMatchObject({ granted: 0, limitedBy: one.name });
    expect(first.waitMs).toBeGreaterThan(400);
    expect(first.waitMs).toBeLessThanOrEqual(500);
    expect((await gate.take([one], 5)).waitMs).toBeLessThanOrEqual(first.waitMs);
  });

  test('holds less than one a second, too', async () => {
    const one = bucket(0.01);
    expect((await gate.take([one], 1)).granted).toBe(1);
    const { granted, waitMs } = await gate.take([one], 1);
    expect(granted).toBe(0);
    expect(waitMs).toBeGreaterThan(99_000);
    expect(await redis.redis.pttl(keyOf(one))).toBeGreaterThan(waitMs);
  });
});

describe('several buckets', () => {
  test('grant what the poorest has, all pay just that, and the slowest is named', async () => {
    const [fast, slow] = [bucket(1_000), bucket(50)];
    await gate.take([fast, slow], 1);
    await idle(fast, 60_000);
    await idle(slow, 60_000);
    const tokens = await gate.take([fast, slow], 500);
    expect(tokens).toMatchObject({ granted: 5, limitedBy: slow.name });
    expect(tokens.waitMs).toBeGreaterThan(0);
    expect((await gate.take([fast], 500)).granted).toBeGreaterThanOrEqual(95);
  });

  test('an empty one costs the others nothing', async () => {
    const [full, empty] = [bucket(100), bucket(0.1)];
    await gate.take([full, empty], 1);
    await idle(full, 60_000);
    expect(await gate.take([full, empty], 10)).toMatchObject({ granted: 0, limitedBy: empty.name });
    expect((await gate.take([full], 10)).granted).toBe(10);
  });

  test('none at all limit nothing', async () => {
    expect(await gate.take([], 64)).toEqual({ granted: 64, waitMs: 0 });
  });
});

/** Takes as much as there is until told to stop; answers how many messages that was. */
async function takeAll(from: RateGate, one: Bucket, isOver: () => boolean): Promise<number> {
  let granted = 0;
  while (!isOver()) {
    granted += (await from.take([one], 64)).granted;
    await setImmediate();
  }
  return granted;
}

describe('a rate of 5,000 a second', () => {
  const perSecond = 5_000;

  async function measure(gates: readonly RateGate[], one: Bucket, forMs: number): Promise<number> {
    const began = performance.now();
    const isOver = () => performance.now() - began >= forMs;
    const all = await Promise.all(gates.map((each) => takeAll(each, one, isOver)));
    return all.reduce((sum, n) => sum + n, 0) / ((performance.now() - began) / 1_000);
  }

  test.each([1, 2, 4])('holds within 2 percent with %d gates', async (workers) => {
    const gates = Array.from({ length: workers }, () => gateWith(redis.redis, workers));
    const one = bucket(perSecond);
    await gate.take([one], 1);
    const measured = await measure(gates, one, 800);
    // Less only where the machine itself stalls for longer than a tenth of a second: those tokens are lost. Never more.
    expect(measured / perSecond).toBeGreaterThan(0.7);
    expect(measured / perSecond).toBeLessThan(1.02);
  });

  test('holds while Redis forgets all there is, again and again', async () => {
    const one = bucket(perSecond);
    await gate.take([one], 1);
    const losing = setInterval(() => redis.redis.del(keyOf(one)), 100);
    const measured = await measure([gate], one, 600);
    clearInterval(losing);
    expect(measured / perSecond).toBeLessThan(1.02);
    expect(measured / perSecond).toBeGreaterThan(0.7);
  });

  test('holds with four gates whose Redis goes away and comes back', async () => {
    const connections = await Promise.all([1, 2, 3, 4].map(() => connected()));
    const gates = connections.map((connection) => gateWith(connection, 4));
    const one = bucket(perSecond);
    await gate.take([one], 1);
    const [before, away, after] = [
      await measure(gates, one, 500),
      await measureAway(gates, connections, one),
      await measure(gates, one, 800),
    ];
    for (const measured of [before, away, after]) {
      expect(measured / perSecond).toBeGreaterThan(0.7);
      // Each measured for half a second or more: a tenth of a second's worth on top is within 2 % of any ten seconds.
      expect(measured / perSecond).toBeLessThan(1.15);
    }
    for (const connection of connections) connection.disconnect();
  });

  async function connected() {
    const connection = connectRedis(redis.url, silentLog);
    await connection.connect();
    return connection;
  }

  async function measureAway(
    gates: readonly RateGate[],
    connections: readonly RedisClient[],
    one: Bucket,
  ): Promise<number> {
    for (const connection of connections) connection.disconnect();
    const measured = await measure(gates, one, 700);
    await Promise.all(connections.map((connection) => connection.connect()));
    return measured;
  }
});

test('a worker alone with its share takes no more than that, and nothing at once', async () => {
  const connection = connectRedis(redis.url, silentLog);
  const alone = gateWith(connection, 4);
  const one = bucket(400);
  expect(await alone.take([one], 10)).toEqual({ granted: 0, waitMs: 10, limitedBy: one.name });
  connection.disconnect();
});
