/** Who gets the connections, among workers that are busy and idle by turns: at the pace of production, with real Redis. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestRedis, silentLog, type TestRedis } from '../testing/test-database.ts';
import { type ConnectionSlots, createConnectionSlots } from './connection-slots.ts';

let redis: TestRedis;
let destination = 0;
let crews: Crew[] = [];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

beforeAll(async () => {
  redis = await createTestRedis();
  await redis.redis.set(`${redis.prefix}:slots:since`, 1);
});
beforeEach(() => {
  destination++;
});
afterEach(async () => {
  for (const crew of crews) await crew.slots.stop();
  crews = [];
});
afterAll(() => redis.drop());

/** As a sender's: opens what it may and has work for, keeps what is idle open, and closes what is above its allowance, the idle at once. */
class Crew {
  readonly slots: ConnectionSlots;
  readonly cap: number;
  wanted = 0;
  held = 0;
  opened = 0;

  constructor(owner: string, cap: number) {
    this.cap = cap;
    const { redis: connection, prefix } = redis;
    this.slots = createConnectionSlots({ redis: connection, prefix, owner, clock, log: silentLog });
    this.slots.onChange(() => this.adjust());
    crews.push(this);
    void this.slots.start();
  }

  work(wanted: number): void {
    this.wanted = wanted;
    this.adjust();
  }

  adjust(): void {
    const allowed = this.ask();
    const held = Math.min(allowed, Math.max(this.held, this.wanted));
    if (held === this.held) return;
    this.opened += Math.max(0, held - this.held);
    this.held = held;
    this.ask();
  }

  ask(): number {
    return this.slots.request(destination, { cap: this.cap, wanted: this.wanted, held: this.held });
  }
}

const held = () => crews.map((crew) => crew.held);

/** ms until they hold so many each; never more than the cap together. */
async function msUntil(wanted: readonly number[], cap: number): Promise<number> {
  const began = performance.now();
  let most = 0;
  await expect
    .poll(
      () => {
        most = Math.max(
          most,
          held().reduce((sum, n) => sum + n, 0),
        );
        return held();
      },
      { interval: 5, timeout: 5_000 },
    )
    .toEqual(wanted);
  expect(most).toBeLessThanOrEqual(cap);
  return performance.now() - began;
}

/** Through some renewals nothing more is opened: what was settled stays. */
async function opensNothingMore(): Promise<void> {
  const before = crews.map(({ opened }) => opened);
  const rows = `${redis.prefix}:slots:${destination}`;
  for (let renewals = 0; renewals < 3; renewals++) {
    const seen = JSON.stringify(await redis.redis.hgetall(rows));
    await expect
      .poll(async () => JSON.stringify(await redis.redis.hgetall(rows)), { timeout: 5_000 })
      .not.toBe(seen);
  }
  expect(crews.map(({ opened }) => opened)).toEqual(before);
}

test('what is idle stays open, as long as nobody wants it', async () => {
  const [first, second] = [new Crew('a', 10), new Crew('b', 10)];
  first.work(7);
  await msUntil([7, 0], 10);
  first.work(0);
  second.work(3);
  await msUntil([7, 3], 10);
  await opensNothingMore();
  expect(held()).toEqual([7, 3]);
});

test('one that is busy gets all in about a second from one that is idle, and back again', async () => {
  const [first, second] = [new Crew('a', 10), new Crew('b', 10)];
  first.work(30);
  await msUntil([10, 0], 10);
  first.work(0);
  second.work(30);
  expect(await msUntil([0, 10], 10)).toBeLessThan(1_800);
  second.work(0);
  first.work(30);
  expect(await msUntil([10, 0], 10)).toBeLessThan(1_800);
});

test('an idle one closes no more than the other wants', async () => {
  const [first, second] = [new Crew('a', 10), new Crew('b', 10)];
  first.work(10);
  await msUntil([10, 0], 10);
  first.work(1);
  second.work(4);
  await msUntil([6, 4], 10);
});

test('two that are busy get half each, and it stays so whoever wants more', async () => {
  const [first, second] = [new Crew('a', 9), new Crew('b', 9)];
  first.work(30);
  await msUntil([9, 0], 9);
  second.work(40);
  expect(await msUntil([5, 4], 9)).toBeLessThan(1_800);
  for (const wanted of [20, 60, 12]) {
    first.work(wanted);
    await opensNothingMore();
  }
  expect(held()).toEqual([5, 4]);
});

test('of three with a cap of two those that have one keep it, and give it up when they have nothing to do', async () => {
  const [first, second, third] = [new Crew('a', 2), new Crew('b', 2), new Crew('c', 2)];
  first.work(2);
  await msUntil([2, 0, 0], 2);
  second.work(5);
  await msUntil([1, 1, 0], 2);
  third.work(5);
  await opensNothingMore();
  expect(held()).toEqual([1, 1, 0]);
  first.work(0);
  expect(await msUntil([0, 1, 1], 2)).toBeLessThan(1_800);
});

test('slots come back from one that died while another waits', async () => {
  const rows = `${redis.prefix}:slots:${destination}`;
  const { redis: connection, prefix } = redis;
  const dead = createConnectionSlots({
    redis: connection,
    prefix,
    owner: 'dead',
    clock,
    log: silentLog,
    leaseMs: 700,
    renewMs: 60_000,
  });
  dead.request(destination, { cap: 6, wanted: 6, held: 0 });
  await dead.start();
  await expect.poll(() => connection.hget(rows, 'dead')).toMatch(/^6:6:/);
  new Crew('alive', 6).work(6);
  expect(await msUntil([6], 6)).toBeLessThan(2_500);
  await dead.stop();
});
