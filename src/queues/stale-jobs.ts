/**
 * Removes jobs that have waited for so long that their chunks have gone back: where no worker reads a shard (QUEUE_SHARDS was lowered, or no worker runs at all) each lease
 * puts the same chunks on the belt anew, and what lay there before would fill Redis. All shards that may ever have been filled are looked at.
 *
 * A job is a wake-up call: removing one that is not stale yet costs its chunks a lease. If we die here, the next leader goes on.
 */
import { Queue } from 'bullmq';
import type { DeliveryClass } from '../ledger/states.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import { classNames } from './producer.ts';
import { mostShards } from './shard-list.ts';
import { allShards, type Belt, queueName, type Stage, shardPrefix } from './shards.ts';

export interface StaleJobsOptions {
  readonly belt: Omit<Belt, 'shards'>;
  readonly leadership: Leadership;
  readonly log: Log;
  readonly leaseMs: number;
}

const everyMs = 30_000;
/** Rendered and waiting to be sent, a chunk's lease begins anew: twice is what a job may wait, and twice that is certain. */
const staleAfterLeases = 4;
const mostAtOnce = 1_000;
const stages = ['render', 'send'] as const;

export function createStaleJobsSweep(options: StaleJobsOptions): Loop {
  const { leadership, log } = options;

  async function pass(): Promise<'idle'> {
    if (!(await leadership.lead())) return 'idle';
    for (const shard of allShards(mostShards)) {
      const removed = await removeStale(options, shard);
      if (removed > 0) log.warn({ shard, jobs: removed }, 'jobs that nobody took were removed');
    }
    return 'idle';
  }

  return createLoop({ name: 'stale-jobs', log, idleMs: everyMs, errorMs: everyMs, pass });
}

/** Answers how many jobs of the shard were removed. */
export async function removeStale(
  options: Pick<StaleJobsOptions, 'belt' | 'leaseMs'>,
  shard: number,
): Promise<number> {
  const kinds = stages.flatMap((stage) => classNames.map((name) => ({ stage, name })));
  const removed = await Promise.all(kinds.map((kind) => removeFrom(options, shard, kind)));
  return removed.reduce((sum, jobs) => sum + jobs, 0);
}

/** BullMQ is only asked where something waits: it writes a line about each time that it has cleaned. */
async function removeFrom(
  { belt, leaseMs }: Pick<StaleJobsOptions, 'belt' | 'leaseMs'>,
  shard: number,
  { stage, name }: { readonly stage: Stage; readonly name: DeliveryClass },
): Promise<number> {
  const prefix = shardPrefix(belt, shard);
  if ((await belt.redis.llen(`${prefix}:${queueName(stage, name)}:wait`)) === 0) return 0;
  const queue = new Queue(queueName(stage, name), {
    ...{ connection: belt.redis, prefix, skipMetasUpdate: true },
  });
  try {
    return (await queue.clean(staleAfterLeases * leaseMs, mostAtOnce, 'wait')).length;
  } finally {
    await queue.close();
  }
}
