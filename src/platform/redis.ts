/**
 * Redis connections. Redis is a belt and a cache here: all it holds can be rebuilt from MySQL (DESIGN 2). It is one server, or a cluster (ADR 16).
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { AppError } from '../errors.ts';
import type { Log } from './log.ts';
import { type ClusterAddress, parseClusterUrl } from './redis-address.ts';

/** What a script or pipeline of it touches must lie in one slot: `redis-homes.ts`. */
export type RedisClient = Redis | Cluster;

/** For commands of ours: fails at once while Redis is away, so that callers fall back instead of queueing. */
export function connectRedis(url: string, log: Log): RedisClient {
  // Where a slot lies is looked for five times, 100 ms apart after a node that is gone; what it had is then given up.
  const commands = { maxRetriesPerRequest: 1, commandTimeout: 5_000 };
  return connect(url, log, { commands, enableOfflineQueue: false, maxRedirections: 5 });
}

/** For BullMQ workers, whose blocking reads must outlive an outage (it refuses a number here). */
export function connectRedisForWorkers(url: string, log: Log): RedisClient {
  return connect(url, log, { commands: { maxRetriesPerRequest: null }, enableOfflineQueue: true });
}

interface Patience {
  readonly commands: Pick<RedisOptions, 'maxRetriesPerRequest' | 'commandTimeout'>;
  readonly enableOfflineQueue: boolean;
  readonly maxRedirections?: number;
}

function connect(url: string, log: Log, patience: Patience): RedisClient {
  const address = parseClusterUrl(url);
  const redis = address ? connectCluster(address, patience) : connectSingle(url, patience);
  redis.on('error', (error: Error) => log.warn({ err: error }, 'redis connection'));
  return redis;
}

function connectSingle(url: string, { commands, enableOfflineQueue }: Patience): Redis {
  return new Redis(url, {
    ...commands,
    enableOfflineQueue,
    lazyConnect: true,
    retryStrategy: reconnectDelayMs,
  });
}

function connectCluster(address: ClusterAddress, { commands, ...patience }: Patience): Cluster {
  const { nodes, isTls, username, password } = address;
  const login = { ...(username && { username }), ...(password && { password }) };
  return new Cluster([...nodes], {
    ...patience,
    lazyConnect: true,
    clusterRetryStrategy: reconnectDelayMs,
    // Certificates are for names: a name that is resolved before can't be checked.
    ...(isTls && { dnsLookup: (host: string, found: NodeResolve) => found(null, host) }),
    redisOptions: { ...commands, ...login, ...(isTls && { tls: {} }), connectTimeout: 2_000 },
  });
}

type NodeResolve = (error: null, address: string) => void;

/** Connects, or does nothing when it is connected. A refused first try ends ioredis's own retries, so it may be called again. */
export async function connectOnce(redis: RedisClient): Promise<void> {
  if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
  await assertServing(redis);
}

/** Throws unless it serves. Of a cluster any node knows: a node of many that is away is not yet an outage. */
export async function assertServing(redis: RedisClient): Promise<void> {
  if (!isCluster(redis)) return void (await redis.ping());
  const state = /^cluster_state:(\w+)/m.exec((await redis.cluster('INFO')) as string)?.[1];
  if (state !== 'ok') throw new AppError('unavailable', { detail: `The Redis Cluster's state is ${state}` });
}

function isCluster(redis: RedisClient): redis is Cluster {
  return redis.isCluster;
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000);
}

/**
 * With any other policy Redis drops keys of BullMQ's when memory is short, and work would seem done. All nodes of a cluster are asked,
 * replicas too, since any may become a master; one that is away is passed over, or nothing could start while it is.
 */
export async function assertNoEviction(redis: RedisClient): Promise<void> {
  const nodes = isCluster(redis) ? redis.nodes('all') : [redis];
  const answers = await Promise.allSettled(nodes.map(async (node) => policyOf(await node.info('memory'))));
  for (const answer of answers) {
    if (answer.status === 'fulfilled' && answer.value !== 'noeviction') throw evicts(answer.value);
  }
  const [first] = answers;
  if (first?.status === 'rejected' && answers.every(({ status }) => status === 'rejected'))
    throw first.reason;
}

function policyOf(memory: string): string | undefined {
  return /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
}

function evicts(policy: string | undefined): AppError {
  return new AppError('unavailable', {
    detail: `Redis has maxmemory-policy ${policy}; Sluice needs noeviction`,
  });
}
