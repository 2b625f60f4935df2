/**
 * The belt in parts. Each shard has all queues; all keys of a shard lie in one slot of a Redis Cluster, and the shards evenly over the slots.
 *
 * A job's shard hangs on its first grant, the epoch included:
 * - not on its destination: half of a list is with one mailbox provider, and so would be half of all jobs, on one node, in front of one shard's slots of each worker;
 * - not on its chunk alone: what lay on a shard that nobody reads, or whose node is gone, comes back with the next epoch, and on another shard most likely;
 * - the same for render and send, and at each try: a job that is added again is the same job.
 * Order is lost between shards, and there was none to lose: workers do many jobs at once, and the dispatcher has decided what is due before any is there.
 */
import { createHash } from 'node:crypto';
import { formatGrant, type Grant } from '../ledger/grant.ts';
import type { DeliveryClass } from '../ledger/states.ts';
import type { RedisClient } from '../platform/redis.ts';
import { spreadTag } from '../platform/redis-homes.ts';
import type { GrantJob } from './jobs.ts';

export type Stage = 'render' | 'send';

/** As much of it as names hang on. */
export interface BeltPlace {
  readonly redis: Pick<RedisClient, 'isCluster'>;
  readonly prefix: string;
}

export interface Belt extends BeltPlace {
  readonly redis: RedisClient;
  /** How many shards are filled: QUEUE_SHARDS. */
  readonly shards: number;
}

export function queueName(stage: Stage, deliveryClass: DeliveryClass): string {
  return `${stage}-${deliveryClass}`;
}

/** What BullMQ begins a shard's keys with. On one Redis the first shard has the name it had before there were any. */
export function shardPrefix({ redis, prefix }: BeltPlace, shard: number): string {
  const name = `${prefix}:belt`;
  return redis.isCluster || shard > 0 ? spreadTag(name, shard) : name;
}

/** By SHA-256: cheaper sums keep parities, and an epoch that rose by two would then stay where it was. */
export function shardOf({ grants }: GrantJob, shards: number): number {
  if (shards === 1) return 0;
  const digest = createHash('sha256')
    .update(formatGrant(grants[0] as Grant))
    .digest();
  return digest.readUInt32BE(0) % shards;
}

/** 0, 1, … of so many. */
export function allShards(shards: number): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard);
}
