/** A Redis Cluster of a test's own on loopback: three masters without replicas. Slots of a node that is killed are nobody's until it is back, empty. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { KillableServer } from './faults/killable-server.ts';
import { startRedisServer } from './faults/redis-server.ts';
import { type Instance, loadServiceScripts, type ServiceScripts } from './faults/service-scripts.ts';
import { waitFor } from './wait-for.ts';

export interface RedisClusterNode {
  readonly server: KillableServer;
  readonly client: Redis;
}

export interface TestRedisCluster {
  /** As REDIS_URL. */
  readonly url: string;
  /** A first word for keys that no other test has. */
  readonly prefix: string;
  /** The first has the first third of the slots, and so on. */
  readonly nodes: readonly RedisClusterNode[];
  /** All nodes answer and agree that the cluster serves. */
  waitUntilServing(): Promise<unknown>;
  stop(): Promise<void>;
}

const nodeCount = 3;
const slots = 16_384;
/** The bus between nodes has the port 10,000 above. */
const highestPort = 55_000;
/** A node that is away is passed over, as docs/scale.md advises; it is known to be away after a second. */
const settings = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'],
  ...['--cluster-require-full-coverage', 'no', '--cluster-config-file', 'nodes.conf'],
];

export async function startRedisCluster(label: string): Promise<TestRedisCluster> {
  const scripts = await loadServiceScripts();
  const instance = scripts.openInstance(label);
  const closeNow = () => instance.closeNow();
  process.once('exit', closeNow);
  const nodes: RedisClusterNode[] = [];
  const stop = async () => {
    for (const { client } of nodes) client.disconnect();
    await instance.close();
    process.off('exit', closeNow);
  };
  try {
    for (let i = 0; i < nodeCount; i++) nodes.push(await startNode(scripts, instance, i));
    await join(nodes);
    await waitUntilServing(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+cluster://${nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`,
    prefix: `test-${randomBytes(6).toString('hex')}`,
    nodes,
    waitUntilServing: () => waitUntilServing(nodes),
    stop,
  };
}

async function startNode(scripts: ServiceScripts, instance: Instance, i: number): Promise<RedisClusterNode> {
  const port = await freePortBelow(scripts, highestPort);
  const server = await startRedisServer(scripts, instance, { name: `redis-${i}`, port, settings });
  const client = new Redis(server.url, { maxRetriesPerRequest: 1, retryStrategy: () => 100 });
  client.on('error', () => {});
  return { server, client };
}

async function freePortBelow(scripts: ServiceScripts, highest: number): Promise<number> {
  for (;;) {
    const port = await scripts.freePort();
    if (port < highest) return port;
  }
}

async function join(nodes: readonly RedisClusterNode[]): Promise<void> {
  const [first] = nodes as [RedisClusterNode];
  for (const [i, { client }] of nodes.entries()) {
    const from = Math.ceil((i * slots) / nodeCount);
    const to = Math.ceil(((i + 1) * slots) / nodeCount);
    await client.cluster('SET-CONFIG-EPOCH', i + 1);
    await client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, n) => from + n));
    await client.cluster('MEET', '127.0.0.1', first.server.port);
  }
}

function waitUntilServing(nodes: readonly RedisClusterNode[]): Promise<unknown> {
  const knows = async ({ client }: RedisClusterNode) => {
    const found = (await client.cluster('INFO').catch(() => '')) as string;
    return found.includes('cluster_state:ok') && found.includes(`cluster_slots_ok:${slots}`);
  };
  return waitFor('the cluster', async () => (await Promise.all(nodes.map(knows))).every(Boolean));
}
