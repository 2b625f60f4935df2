import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type RedisClient } from '../platform/redis.ts';
import { createTestRedis, silentLog, type TestRedis } from '../testing/test-database.ts';
import type { DestinationLimits } from './pace.ts';
import { createPaceFeed, type PaceFeed } from './pace-feed.ts';
import { reportsKey } from './pace-keys.ts';
import { createPaceLearner, type PaceLearner } from './pace-learner.ts';
import { readPaces } from './read-paces.ts';

let redis: TestRedis;
let prefix: string;
let suites = 0;
const feeds: PaceFeed[] = [];

beforeAll(async () => {
  redis = await createTestRedis();
});
beforeEach(() => {
  prefix = `${redis.prefix}-${++suites}`;
});
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
});
afterAll(() => redis.drop());

/** The leader's clock goes on by hand, so that a pass always learns. */
class Leader {
  nowMs = 1_000_000;
  limits: DestinationLimits = {};
  readonly learner: PaceLearner;

  constructor(connection: RedisClient = redis.redis) {
    this.learner = createPaceLearner({
      redis: connection,
      prefix,
      clock: { now: () => Date.now(), monotonic: () => this.nowMs },
      log: silentLog,
      limitsOf: () => this.limits,
      ceiling: 10_000,
      random: () => 0.5,
    });
  }

  async pass(outstanding: readonly [number, number][] = []): Promise<void> {
    this.nowMs += 250;
    await this.learner.learn(new Map(outstanding));
  }
}

async function worker(
  owner = 'w',
  connection: RedisClient = redis.redis,
  log = silentLog,
): Promise<PaceFeed> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const feed = createPaceFeed({ redis: connection, prefix, owner, clock, log, flushMs: 20 });
  feeds.push(feed);
  await feed.start();
  return feed;
}

const busy = { inFlight: 7, connections: 2 };
const reply = { code: 421, text: 'slow down', class: 'throttled' };

test('what a worker lives through becomes a pace it reads back', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  feed.watch(1, () => busy);
  for (let i = 0; i < 20; i++) feed.note(1, { kind: 'accepted' });
  feed.note(1, { kind: 'throttled', reply });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 100]]);
  await expect.poll(() => feed.paceOf(1)?.limitedBy).toBe('learnt_rate');
  const pace = feed.paceOf(1)!;
  expect(pace).toMatchObject({ inFlight: 7, connections: 2, lastReplies: [reply], breaker: 'closed' });
  expect(pace.learntPerSecond).toBe(leader.learner.paceOf(1).learntPerSecond);
  expect((await readPaces(redis.redis, prefix, [1, 2])).get(1)).toEqual(pace);
});

test('a pause is counted down by the worker, and told to listeners once', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  const told: string[] = [];
  feed.onPace((id, pace) => told.push(`${id} ${pace.limitedBy}`));
  feed.watch(3, () => busy);
  feed.note(3, { kind: 'throttled', restMs: 60_000 });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass();
  await expect.poll(() => feed.paceOf(3)?.closedForMs).toBeGreaterThan(50_000);
  const first = feed.paceOf(3)!.closedForMs;
  await expect.poll(() => feed.paceOf(3)!.closedForMs).toBeLessThan(first - 50);
  expect(told).toEqual(['3 rest']);
});

test('a failure to connect is reported at once, however long the beat', async () => {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const feed = createPaceFeed({
    redis: redis.redis,
    prefix,
    owner: 'w',
    clock,
    log: silentLog,
    flushMs: 60_000,
  });
  feeds.push(feed);
  await feed.start();
  await expect.poll(() => redis.redis.exists(`${prefix}:pace:workers`)).toBe(1);
  feed.note(1, { kind: 'accepted' });
  expect(await redis.redis.llen(reportsKey(prefix))).toBe(0);
  feed.note(1, { kind: 'open_failed' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBe(1);
});

test('workers count each other, and one that stops is not counted', async () => {
  const [first, second] = [await worker('first'), await worker('second')];
  await expect.poll(() => first.workers, { timeout: 5_000 }).toBe(2);
  await second.stop();
  await expect.poll(() => first.workers, { timeout: 5_000 }).toBe(1);
});

test('a new leader goes on where the old one stopped: window, rate, breaker', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  for (let i = 0; i < 40; i++) feed.note(1, { kind: 'accepted' });
  feed.note(1, { kind: 'throttled' });
  for (let i = 0; i < 5; i++) feed.note(2, { kind: 'open_failed' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 100]]);
  const next = new Leader();
  await next.pass([[1, 100]]);
  expect(next.learner.paceOf(1).learntPerSecond).toBe(leader.learner.paceOf(1).learntPerSecond);
  // Nothing of it is outstanding: it is known from the set of those in trouble.
  expect(next.learner.paceOf(2)).toMatchObject({ breaker: 'open', windowMessages: 0 });
  expect(next.learner.paceOf(2).closedForMs).toBeGreaterThan(6_000);
});

test('one that led, stood by for a while and leads again believes what was published meanwhile', async () => {
  const [first, second, feed] = [new Leader(), new Leader(), await worker()];
  await first.pass([[1, 1]]);
  for (let i = 0; i < 5; i++) feed.note(1, { kind: 'open_failed' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await second.pass([[1, 1]]);
  first.nowMs += 60_000;
  await first.pass([[1, 1]]);
  expect(first.learner.paceOf(1).breaker).toBe('open');
});

test('after all is lost everything starts cold', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  feed.note(1, { kind: 'throttled' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 1]]);
  await redis.redis.del(`${prefix}:pace:1`);
  const next = new Leader();
  await next.pass([[1, 1]]);
  expect(next.learner.paceOf(1)).toMatchObject({ windowMessages: 1_000, learntPerSecond: undefined });
});

test('lines that are not ours are skipped, and the list is bounded', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  await redis.redis.rpush(reportsKey(prefix), 'x', '[2,"w",[]]', '{}', '[1,"w",[[1]]]');
  feed.note(1, { kind: 'throttled' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBe(5);
  await leader.pass();
  expect(leader.learner.paceOf(1).limitedBy).toBe('learnt_rate');
  await redis.redis.rpush(reportsKey(prefix), ...Array.from({ length: 5_000 }, () => 'x'));
  feed.note(1, { kind: 'throttled' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBe(2_000);
  await leader.pass();
  expect(await redis.redis.llen(reportsKey(prefix))).toBe(1_000);
});

test('without Redis the last paces stand on both sides; what happened meanwhile is reported afterwards', async () => {
  const [connection, other] = [await connected(), await connected()];
  let warnings = 0;
  const log: typeof silentLog = Object.assign(Object.create(silentLog), { warn: () => warnings++ });
  const [leader, feed] = [new Leader(other), await worker('w', connection, log)];
  feed.watch(1, () => busy);
  feed.note(1, { kind: 'throttled' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 1]]);
  await expect.poll(() => feed.paceOf(1)?.learntPerSecond).toBe(0.5);
  for (const each of [connection, other]) each.disconnect();
  feed.note(1, { kind: 'throttled', restMs: 30_000 });
  await expect.poll(() => [connection.status, other.status]).toEqual(['end', 'end']);
  await expect.poll(() => warnings).toBe(1);
  for (let i = 0; i < 40; i++) await leader.pass([[1, 1]]);
  expect(leader.learner.paceOf(1)).toMatchObject({ learntPerSecond: 0.5, breaker: 'closed' });
  expect(feed.paceOf(1)?.learntPerSecond).toBe(0.5);
  for (const each of [connection, other]) await each.connect();
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 1]]);
  expect(leader.learner.paceOf(1).limitedBy).toBe('rest');
  for (const one of feeds.splice(0)) await one.stop();
  for (const each of [connection, other]) each.disconnect();
});

async function connected() {
  const connection = connectRedis(redis.url, silentLog);
  await connection.connect();
  return connection;
}

test('a destination that has finished is shown at rest, not as it was in its last second', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  for (let i = 0; i < 200; i++) feed.note(5, { kind: 'accepted' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[5, 100]]);
  for (let i = 0; i < 80; i++) await leader.pass();
  const shown = (await readPaces(redis.redis, prefix, [5])).get(5);
  expect(shown?.measuredPerSecond).toBeLessThan(1);
});

test('who leads no longer tells no paces, so that nothing is counted twice in the metrics', async () => {
  const [leader, feed] = [new Leader(), await worker()];
  feed.watch(1, () => busy);
  feed.note(1, { kind: 'accepted' });
  await expect.poll(() => redis.redis.llen(reportsKey(prefix))).toBeGreaterThan(0);
  await leader.pass([[1, 100]]);
  expect([...leader.learner.paces()]).toHaveLength(1);
  leader.nowMs += 10_001;
  expect([...leader.learner.paces()]).toEqual([]);
});
