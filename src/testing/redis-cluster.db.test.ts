/** Everything that speaks to Redis, against a real cluster of three nodes, which refuses what touches two slots: over so many destinations and grants that they lie on all nodes. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import keySlot from 'cluster-key-slot';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createRateLimit } from '../http/rate-limit.ts';
import { formatGrant, type Grant } from '../ledger/grant.ts';
import { createConnectionSlots } from '../pacing/connection-slots.ts';
import { createPaceFeed } from '../pacing/pace-feed.ts';
import { createPaceLearner } from '../pacing/pace-learner.ts';
import { createRateGate } from '../pacing/rate-gate.ts';
import { readPaces } from '../pacing/read-paces.ts';
import { systemClock as clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import {
  assertNoEviction,
  assertServing,
  connectOnce,
  connectRedis,
  connectRedisForWorkers,
  type RedisClient,
} from '../platform/redis.ts';
import { createConsumer } from '../queues/consumer.ts';
import { createGeneration } from '../queues/generation.ts';
import type { GrantJob } from '../queues/jobs.ts';
import { createProducer } from '../queues/producer.ts';
import { createRenderedStore } from '../queues/rendered-store.ts';
import { allShards, shardPrefix } from '../queues/shards.ts';
import { removeStale } from '../queues/stale-jobs.ts';
import type { PoolDecision } from '../scaling/decide-pools.ts';
import { forEachPool } from '../scaling/pool.ts';
import { publishScaling, readScaling } from '../scaling/published-scaling.ts';
import { type RedisClusterNode, startRedisCluster, type TestRedisCluster } from './redis-cluster.ts';
import { silentLog as log } from './test-database.ts';
import { waitFor } from './wait-for.ts';

const ids = Array.from({ length: 60 }, (_, i) => i + 1);

let cluster: TestRedisCluster;
let redis: RedisClient;
let prefix: string;
const running: Lifecycle[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster('cluster-db');
  ({ prefix } = cluster);
  redis = connectRedis(cluster.url, log);
  await connectOnce(redis);
});
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});
afterAll(async () => {
  redis?.disconnect();
  await cluster?.stop();
});

async function run<T extends Lifecycle>(part: T): Promise<T> {
  running.push(part);
  await part.start();
  return part;
}

test('a node that would evict keys is refused, whichever it is', async () => {
  await assertServing(redis);
  await assertNoEviction(redis);
  const [, , third] = cluster.nodes;
  await third?.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(assertNoEviction(redis)).rejects.toMatchObject({ code: 'unavailable' });
  await third?.client.config('SET', 'maxmemory-policy', 'noeviction');
});

test('connections of sixty destinations are leased, and go back', async () => {
  const slots = await run(createConnectionSlots({ redis, prefix, owner: 'a', clock, log, renewMs: 20 }));
  const allowed = new Map<number, number>();
  slots.onChange((id, n) => allowed.set(id, n));
  for (const id of ids) slots.request(id, { cap: 5, wanted: 5, held: 0 });
  await waitFor('all to be allowed', async () => ids.every((id) => allowed.get(id) === 5));
  const homes = await Promise.all(
    cluster.nodes.map(({ client }) => client.keys(`*${prefix}:home*:slots:since`)),
  );
  expect(homes.map((keys) => keys.length > 0)).toEqual([true, true, true]);
});

test('a message that counts against four buckets in four slots gets what the poorest has, and pays no more', async () => {
  const gate = createRateGate({ redis, prefix, clock, workers: () => 1, log });
  const rich = [1, 2, 3].map((i) => ({ name: `t:${i}`, perSecond: 1_000 }));
  // A bucket that is new begins without a burst.
  await expect.poll(async () => (await gate.take(rich, 100)).granted, { interval: 120 }).toBe(100);
  await expect.poll(async () => (await gate.take(rich, 1)).waitMs, { interval: 120 }).toBe(0);
  const poor = { name: 'd:1', perSecond: 10 };
  await expect.poll(async () => (await gate.take([poor], 1)).granted, { interval: 120 }).toBe(1);
  const tokens = await gate.take([...rich, poor], 90);
  expect(tokens).toMatchObject({ granted: 0, limitedBy: 'd:1' });
  // Sixty destinations with a limit that they share: together no more than it.
  const shared = { name: 'n:7', perSecond: 500 };
  await gate.take([shared], 1);
  const from = performance.now();
  let granted = 0;
  while (performance.now() - from < 500)
    for (const id of ids)
      granted += (await gate.take([{ name: `d:${id + 100}`, perSecond: 900 }, shared], 10)).granted;
  const seconds = (performance.now() - from) / 1_000;
  expect(granted).toBeLessThanOrEqual(500 * (seconds + 0.15));
  expect(granted).toBeGreaterThan(500 * (seconds - 0.15) * 0.8);
});

test('what one bucket gave and another in another slot did not is given back', async () => {
  const gate = createRateGate({ redis, prefix, clock, workers: () => 1, log });
  const [tenant, destination] = [
    { name: 'n:8', perSecond: 0.05 },
    { name: 'd:8', perSecond: 0.1 },
  ];
  expect((await gate.take([destination], 1)).granted).toBe(1);
  expect(await gate.take([destination, tenant], 1)).toMatchObject({ granted: 0, limitedBy: 'd:8' });
  expect((await gate.take([tenant], 1)).granted).toBe(1);
  expect((await gate.take([tenant], 1)).granted).toBe(0);
});

test('paces go from worker to leader and back', async () => {
  const learner = createPaceLearner({ redis, prefix, clock, log, limitsOf: () => ({}), ceiling: 10_000 });
  const feed = await run(createPaceFeed({ redis, prefix, owner: 'w', clock, log, flushMs: 20 }));
  for (const id of ids) {
    feed.watch(id, () => ({ inFlight: 10, connections: 1 }));
    feed.note(id, { kind: 'throttled' });
  }
  await waitFor('paces to be read back', async () => {
    await learner.learn(new Map(ids.map((id) => [id, 10])));
    return ids.every((id) => feed.paceOf(id));
  });
  expect((await readPaces(redis, prefix, ids)).size).toBe(ids.length);
  expect(feed.workers).toBe(1);
});

test('rendered messages and their segments', async () => {
  const store = createRenderedStore(redis, prefix);
  const segments = { digest: 'abc', bytes: Buffer.from('segments') };
  for (const grant of grants) await store.put(grant, Buffer.from(`${grant.chunkNo}`), segments);
  for (const grant of grants) expect(String(await store.take(grant))).toBe(`${grant.chunkNo}`);
  expect(String(await store.getSegments('abc'))).toBe('segments');
  await Promise.all(grants.map((grant) => store.drop(grant)));
  expect(await store.take(grants[0] as Grant)).toBeNull();
});

test('jobs of all shards are done, and those that nobody takes are removed', async () => {
  const belt = { redis, prefix, shards: 9 };
  const producer = await run(createProducer({ belt, stage: 'send', clock, log }));
  await producer.enqueue(jobs);
  const done: GrantJob[] = [];
  const connection = connectRedisForWorkers(cluster.url, log);
  const work = async (job: GrantJob) => void done.push(job);
  const reading = { stage: 'send', redis: connection, prefix, log, concurrency: 4, work } as const;
  const some = createConsumer({ ...reading, shards: [0, 1, 2, 3] });
  await some.start();
  const waiting = () => Promise.all(allShards(9).map(countWaiting));
  await waitFor('four shards to be empty', async () => (await waiting()).slice(0, 4).every((n) => n === 0));
  await some.stop();
  const left = await waiting();
  expect(
    left.slice(4).every((n) => n > 0),
    `left: ${left}`,
  ).toBe(true);
  expect(await removeStale({ belt, leaseMs: 30_000 }, 4), 'jobs that are not stale yet').toBe(0);
  expect(await removeStale({ belt, leaseMs: 0 }, 4)).toBe(left[4]);
  const others = await run(createConsumer({ ...reading, shards: allShards(9) }));
  await waitFor('all to be done', async () => (await waiting()).every((n) => n === 0));
  await others.stop();
  connection.disconnect();
  expect(done.length).toBe(jobs.length - (left[4] ?? 0));
});

test('a shard that has lost its keys is seen', async () => {
  const generation = createGeneration({ redis, prefix, shards: 9 }, clock);
  await generation.hasChanged();
  expect(await generation.hasChanged()).toBe(false);
  await redis.del(`${shardPrefix({ redis, prefix }, 5)}:generation`);
  expect(await generation.hasChanged()).toBe(true);
  expect(await generation.hasChanged()).toBe(false);
});

test('the scaling signal, and the rate limit of the API', async () => {
  await publishScaling(
    redis,
    prefix,
    forEachPool(() => decision),
  );
  expect(await readScaling(redis, prefix)).toMatchObject({ pools: { send: { desired: 3 } } });
  const limit = createRateLimit({ redis, prefix, requestsPerSecond: 2 });
  const response = () => new ServerResponse(new IncomingMessage(new Socket()));
  const charge = () => limit.charge(response(), 'key');
  await Promise.all([charge(), charge()]);
  await expect(charge()).rejects.toMatchObject({ code: 'rate_limited' });
});

test('while a node is away its shards are passed over, and the others are filled', async () => {
  const belt = { redis, prefix, shards: 3 };
  const producer = await run(createProducer({ belt, stage: 'render', clock, log }));
  const generation = createGeneration(belt, clock);
  await generation.hasChanged();
  const node = cluster.nodes[1];
  await node?.server.kill();
  expect(await generation.hasChanged(), 'nothing is known to be lost').toBe(false);
  await producer.enqueue(jobs);
  const counts = await Promise.all(
    [0, 2].map((shard) => redis.llen(`${shardPrefix(belt, shard)}:render-campaign:wait`)),
  );
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(jobs.length);
  await node?.server.restart();
  await cluster.waitUntilServing();
  await waitFor('the loss to be seen', () => generation.hasChanged());
});

test('while the node of a message’s segments is away they lie on another, and back where every release looks when it is back', async () => {
  const [renderer, sender] = [createRenderedStore(redis, prefix), createRenderedStore(redis, prefix)];
  const digests = Array.from({ length: 30 }, (_, i) => i.toString(16).padStart(64, '0'));
  const firstPlace = (digest: string) => `${prefix}:segments:1:${digest}`;
  const node = cluster.nodes[1];
  const there = digests.filter((digest) => nodeOf(firstPlace(digest)) === node);
  expect(there.length).toBeGreaterThan(0);
  const grant = grants.find((one) => nodeOf(`${prefix}:rendered:${formatGrant(one)}`) !== node) as Grant;
  const put = (digest: string) =>
    renderer.put(grant, Buffer.from('rendered'), { digest, bytes: Buffer.from(digest) });
  const [known] = there as [string];
  await put(known);
  await node?.server.kill();
  for (const digest of digests) {
    await put(digest);
    expect(String(await sender.getSegments(digest))).toBe(digest);
  }
  await node?.server.restart();
  await cluster.waitUntilServing();
  expect(String(await sender.getSegments(known)), 'while its node is back, empty').toBe(known);
  await createRenderedStore(redis, prefix).put(grant, Buffer.from('rendered'), {
    digest: known,
    bytes: Buffer.from(known),
  });
  expect(String(await redis.get(firstPlace(known)))).toBe(known);
});

function nodeOf(key: string): RedisClusterNode {
  return cluster.nodes[Math.floor((keySlot(key) * cluster.nodes.length) / 16_384)] as RedisClusterNode;
}

const decision: PoolDecision = {
  state: { desired: 3, reason: 'backlog', idleMs: 0, lowMs: 0, lowPeak: 0, sinceUpMs: 0 },
  facts: {
    ...{ sendableMessages: 0, upcomingMessages: 0, busyPerSecond: 0 },
    ...{ perSecondAndWorker: 1, databaseCap: 9, elapsedMs: 0 },
  },
  live: 3,
};

const grants = ids.map(
  (id) => ({ tenantId: id % 7, campaignId: 1_000 + id, chunkNo: id, part: 202647, epoch: 1, n: 5 }) as Grant,
);
const jobs: readonly GrantJob[] = grants.map((grant) => ({
  ...{ class: 'campaign', destinationId: 1, transportId: 1 },
  grants: [grant],
}));

function countWaiting(shard: number): Promise<number> {
  return redis.llen(`${shardPrefix({ redis, prefix }, shard)}:send-campaign:wait`);
}
