import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type RedisClient } from '../platform/redis.ts';
import { createTestRedis, silentLog, type TestRedis } from '../testing/test-database.ts';
import { type ConnectionSlots, createConnectionSlots } from './connection-slots.ts';
import { slotsScript } from './slots-script.ts';

let redis: TestRedis;
let destinations = 0;
let destination: number;
const running: ConnectionSlots[] = [];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

beforeAll(async () => {
  redis = await createTestRedis();
});
beforeEach(async () => {
  destination = ++destinations;
  // Redis has been up for long, but for the test that says otherwise.
  await redis.redis.set(`${redis.prefix}:slots:since`, 1);
});
afterEach(async () => {
  for (const slots of running.splice(0)) await slots.stop();
});
afterAll(() => redis.drop());

/** A process that holds whatever it may, as a worker with enough to do would. */
class Holder {
  held = 0;
  readonly slots: ConnectionSlots;
  readonly cap: number | undefined;
  wanted = 0;

  constructor(
    owner: string,
    cap: number | undefined,
    options: { leaseMs?: number; connection?: RedisClient } = {},
  ) {
    const { connection = redis.redis, leaseMs = 10_000 } = options;
    this.cap = cap;
    this.slots = createConnectionSlots({
      redis: connection,
      prefix: redis.prefix,
      owner,
      clock,
      log: silentLog,
      renewMs: 40,
      leaseMs,
    });
    running.push(this.slots);
    this.slots.onChange((_, allowed) => this.use(allowed));
    void this.slots.start();
  }

  want(wanted: number): this {
    this.wanted = wanted;
    this.use(this.ask());
    return this;
  }

  use(allowed: number): void {
    const held = Math.min(allowed, this.wanted);
    if (held === this.held) return;
    this.held = held;
    this.ask();
  }

  ask(): number {
    return this.slots.request(destination, { cap: this.cap, wanted: this.wanted, held: this.held });
  }
}

test('without a cap as many as are wanted are allowed, and Redis is not asked', async () => {
  expect(new Holder('a', undefined).want(50).held).toBe(50);
  expect(await redis.redis.exists(`${redis.prefix}:slots:${destination}`)).toBe(0);
});

test('one alone gets all, and at once', async () => {
  const holder = new Holder('a', 5).want(8);
  await expect.poll(() => holder.held).toBe(5);
});

test('a second gets its half as the first closes what is above its own, and never are there more than the cap', async () => {
  const first = new Holder('a', 6).want(10);
  await expect.poll(() => first.held).toBe(6);
  const second = new Holder('b', 6).want(10);
  let most = 0;
  await expect
    .poll(
      () => {
        most = Math.max(most, first.held + second.held);
        return [first.held, second.held];
      },
      { interval: 5 },
    )
    .toEqual([3, 3]);
  expect(most).toBeLessThanOrEqual(6);
});

test('what is above its share and not closed yet is nobody else’s', async () => {
  const first = new Holder('a', 4).want(4);
  await expect.poll(() => first.held).toBe(4);
  first.use = () => undefined;
  const second = new Holder('b', 4).want(4);
  await expect.poll(() => first.ask()).toBe(2);
  expect(second.held).toBe(0);
  first.held = 2;
  first.ask();
  await expect.poll(() => second.held).toBe(2);
});

test('who wants little gets it, the others share the rest', async () => {
  const [few, some, many] = [
    new Holder('a', 9).want(1),
    new Holder('b', 9).want(20),
    new Holder('c', 9).want(20),
  ];
  await expect.poll(() => [few.held, some.held, many.held]).toEqual([1, 4, 4]);
});

test('with more processes than slots those that hold one keep it, the others get none', async () => {
  const first = new Holder('z', 2).want(1);
  await expect.poll(() => first.held).toBe(1);
  const others = ['a', 'b', 'c'].map((owner) => new Holder(owner, 2).want(3));
  await expect.poll(() => others.reduce((sum, other) => sum + other.held, 0)).toBe(1);
  expect(first.held).toBe(1);
  first.want(0).slots.release(destination);
  await expect.poll(() => others.reduce((sum, other) => sum + other.held, 0)).toBe(2);
});

test('slots of a process that died come back when its lease is over', async () => {
  const since = `${redis.prefix}:slots:since`;
  const key = `${redis.prefix}:slots:${destination}`;
  expect(await redis.redis.eval(slotsScript, 2, since, key, 'dead', 300, 0, 3, 3, 0)).toEqual([3]);
  const holder = new Holder('alive', 3, { leaseMs: 300 }).want(3);
  await expect.poll(() => redis.redis.hexists(key, 'alive')).toBe(1);
  expect(holder.held).toBe(0);
  await expect.poll(() => holder.held).toBe(3);
});

test('after Redis lost its keys nobody gets more than one until all have said what they hold', async () => {
  const keys = [`${redis.prefix}:slots:since`, `${redis.prefix}:slots:${destination}`];
  await redis.redis.del(...keys);
  const ask = (owner: string, heldBackMs: number, held: number) =>
    redis.redis.eval(slotsScript, 2, ...keys, owner, 10_000, heldBackMs, 5, 5, held);
  expect(await ask('new', 60_000, 0)).toEqual([1]);
  expect(await ask('old', 60_000, 4)).toEqual([3]);
  expect(await ask('new', 0, 1)).toEqual([1]);
  expect(await ask('old', 0, 3)).toEqual([3]);
  expect(await ask('new', 0, 1)).toEqual([2]);
});

test('while Redis is away what is held is kept, and no more is added but a first', async () => {
  const connection = connectRedis(redis.url, silentLog);
  await connection.connect();
  const holder = new Holder('a', 4, { connection }).want(2);
  await expect.poll(() => holder.held).toBe(2);
  connection.disconnect();
  holder.want(4);
  const other = new Holder('b', 4, { connection }).want(3);
  await expect.poll(() => other.held).toBe(1);
  expect(holder.ask()).toBe(2);
  await connection.connect();
  await expect.poll(() => holder.held + other.held).toBe(4);
  for (const slots of running.splice(0)) await slots.stop();
  connection.disconnect();
});

function slotsOf(owner: string, connection: RedisClient, renewMs: number): ConnectionSlots {
  const { prefix } = redis;
  const slots = createConnectionSlots({ redis: connection, prefix, owner, clock, log: silentLog, renewMs });
  running.push(slots);
  return slots;
}

test('asks that go up and down count as the highest since the last renewal', async () => {
  const slots = slotsOf('b', redis.redis, 300);
  await slots.start();
  const row = () => redis.redis.hget(`${redis.prefix}:slots:${destination}`, 'b');
  for (let renewal = 0; renewal < 3; renewal++) {
    const before = await row();
    for (const wanted of [2, 1]) slots.request(destination, { cap: 4, wanted, held: 0 });
    await expect.poll(row, { interval: 5 }).not.toBe(before);
    expect(await row()).toMatch(/^2:2:/);
  }
});

test('what is released while an answer is on its way is given back all the same', async () => {
  let letGo: () => void = () => undefined;
  const slow: RedisClient = Object.create(redis.redis);
  slow.eval = (async (...args: Parameters<typeof slow.eval>) => {
    const answer = await redis.redis.eval(...args);
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    slow.eval = redis.redis.eval.bind(redis.redis);
    return answer;
  }) as typeof slow.eval;
  const slots = slotsOf('b', slow, 40);
  slots.request(destination, { cap: 4, wanted: 2, held: 0 });
  await slots.start();
  const key = `${redis.prefix}:slots:${destination}`;
  await expect.poll(() => redis.redis.exists(key)).toBe(1);
  slots.release(destination);
  letGo();
  await expect.poll(() => redis.redis.exists(key)).toBe(0);
});

test('a process that stops gives all back', async () => {
  const holder = new Holder('a', 4).want(4);
  await expect.poll(() => holder.held).toBe(4);
  await holder.slots.stop();
  expect(await redis.redis.exists(`${redis.prefix}:slots:${destination}`)).toBe(0);
});
