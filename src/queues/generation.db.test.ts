import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { createTestRedis, type TestRedis } from '../testing/test-database.ts';
import { createGeneration } from './generation.ts';
import { shardPrefix } from './shards.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await createTestRedis();
});
beforeEach(() => forget());
afterAll(() => redis.drop());

const create = (shards = 1) =>
  createGeneration({ redis: redis.redis, prefix: redis.prefix, shards }, systemClock);
const forget = () => redis.redis.del(`${redis.prefix}:generation`);

test('an empty Redis has lost what it had; a Redis that stays has not', async () => {
  const generation = create();
  expect(await generation.hasChanged()).toBe(true);
  expect(await generation.hasChanged()).toBe(false);
  await forget();
  expect(await generation.hasChanged()).toBe(true);
  expect(await generation.hasChanged()).toBe(false);
});

test('a new leader adopts the key it finds: the jobs of the old one are still there', async () => {
  await create().hasChanged();
  expect(await create().hasChanged()).toBe(false);
});

test('another Redis is told by its key', async () => {
  const generation = create();
  await generation.hasChanged();
  await redis.redis.set(`${redis.prefix}:generation`, 'another');
  expect(await generation.hasChanged()).toBe(true);
  expect(await generation.hasChanged()).toBe(false);
});

test('of two that find it empty at once, both agree on one key', async () => {
  const [a, b] = [create(), create()];
  await Promise.all([a.hasChanged(), b.hasChanged()]);
  expect([await a.hasChanged(), await b.hasChanged()]).toEqual([false, false]);
});

test('one shard of several that has lost its key is enough', async () => {
  const generation = create(3);
  await generation.hasChanged();
  expect(await generation.hasChanged()).toBe(false);
  await redis.redis.del(`${shardPrefix(redis, 2)}:generation`);
  expect(await generation.hasChanged()).toBe(true);
  expect(await generation.hasChanged()).toBe(false);
});
