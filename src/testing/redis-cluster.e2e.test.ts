/** The whole pipeline on a real Redis Cluster of three nodes: its queues are spread over them, and a node that dies costs what it held and nothing else. */
import keySlot from 'cluster-key-slot';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { shardPrefix } from '../queues/shards.ts';
import { type RedisClusterNode, startRedisCluster, type TestRedisCluster } from './redis-cluster.ts';
import { addresses, type Scenario, startScenario } from './scenario.ts';
import { waitFor } from './wait-for.ts';

const shards = 4;

let cluster: TestRedisCluster;
let scenario: Scenario;
beforeAll(async () => {
  cluster = await startRedisCluster('cluster-e2e');
});
beforeEach(async () => {
  scenario = await startScenario({
    environment: {
      REDIS_URL: cluster.url,
      REDIS_PREFIX: cluster.prefix,
      QUEUE_SHARDS: String(shards),
      LEASE_MS: '5000',
    },
  });
});
afterEach(() => scenario.end());
afterAll(() => cluster.stop());

test('three thousand recipients over four shards on three nodes', async () => {
  const n = 3_000;
  const campaign = await scenario.campaign(addresses(n), {
    ...{ limits: { perSecond: 5_000, connections: 8 }, perMinute: 120_000 },
  });
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: n });
  await scenario.check();

  const belts = await Promise.all(cluster.nodes.map((node) => keysOf(node, 'belt')));
  expect(belts.map((keys) => keys.some((key) => key.includes(':send-campaign:')))).toEqual([
    true,
    true,
    true,
  ]);
  const took = await Promise.all(Array.from({ length: shards }, (_, shard) => jobsOf(shard)));
  expect(Math.min(...took), `send jobs by shard: ${took.join(', ')}`).toBeGreaterThan(0);
  const paced = await Promise.all(cluster.nodes.map((node) => keysOf(node, 'home')));
  expect(paced.flat().some((key) => key.includes(':rate:d:'))).toBe(true);
  expect(paced.flat().some((key) => key.endsWith(':slots:since'))).toBe(true);
});

test('a node killed under load and back empty: the others go on meanwhile, nothing is lost or doubled', async () => {
  const n = 3_000;
  const earlier = await segments();
  const campaign = await scenario.campaign(addresses(n), { limits: { perSecond: 500, connections: 8 } });
  const accepted = (messages: number) => scenario.sink.waitForAccepted(messages, { timeoutMs: 60_000 });
  await accepted(500);
  // The one that all grants of the campaign need, wherever their own messages lie.
  const node = await nodeOfSegments(earlier);
  // Of the first three shards each is on a node of its own.
  const shard = cluster.nodes.indexOf(node);
  const generation = () => node.client.get(`${prefixOf(shard)}:generation`).catch(() => null);
  const before = await generation();
  await node.server.kill();
  try {
    // Slower: a third of the grants have their messages there, and hold their part of the window until their lease is over. More than was rendered before.
    await accepted(1_500);
  } finally {
    await node.server.restart();
  }
  await cluster.waitUntilServing();
  const after = await waitFor('the shard to be used again', generation);
  expect(after, 'a Redis that kept nothing').not.toBe(before);
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: n });
  await scenario.check();
});

test('processes stop within their bound while a node is away, and those that start after it finish', async () => {
  const n = 1_000;
  const campaign = await scenario.campaign(addresses(n), { limits: { perSecond: 300, connections: 8 } });
  await scenario.sink.waitForAccepted(100, { timeoutMs: 60_000 });
  const { server } = nodeOf(1);
  await server.kill();
  const started = performance.now();
  await scenario.stopPipeline();
  const stoppedIn = performance.now() - started;
  await server.restart();
  await cluster.waitUntilServing();
  await scenario.startPipeline();
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: n });
  await scenario.check();
  // Half of STOP_TIMEOUT_MS: one process would have to end all stages, here they end one after the other.
  expect(stoppedIn).toBeLessThan(12_500);
});

/** Keys of a kind on a node. */
async function keysOf({ client }: RedisClusterNode, kind: 'belt' | 'home'): Promise<readonly string[]> {
  return (await client.keys(`{${cluster.prefix}:${kind}*`)) as string[];
}

/** Where the segments of a campaign lie that had none `earlier`: one copy while all nodes are there. */
async function nodeOfSegments(earlier: readonly string[]): Promise<RedisClusterNode> {
  const [key] = (await segments()).filter((one) => !earlier.includes(one));
  return nodeAt(keySlot(key as string));
}

async function segments(): Promise<readonly string[]> {
  const keys = await Promise.all(
    cluster.nodes.map(({ client }) => client.keys(`${cluster.prefix}:segments:*`)),
  );
  return keys.flat() as string[];
}

function nodeOf(shard: number): RedisClusterNode {
  return nodeAt(keySlot(prefixOf(shard)));
}

function nodeAt(slot: number): RedisClusterNode {
  return cluster.nodes[Math.floor((slot * cluster.nodes.length) / 16_384)] as RedisClusterNode;
}

function prefixOf(shard: number): string {
  return shardPrefix({ redis: { isCluster: true }, prefix: cluster.prefix }, shard);
}

/** How many send jobs of campaigns were put on a shard so far: BullMQ's own count. */
async function jobsOf(shard: number): Promise<number> {
  return Number(await nodeOf(shard).client.get(`${prefixOf(shard)}:send-campaign:id`));
}
