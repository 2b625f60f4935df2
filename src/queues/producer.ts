/** Puts jobs on the belt: in each shard the queues are `render-<class>` and `send-<class>`. */
import { Queue } from 'bullmq';
import { type DeliveryClass, deliveryClasses } from '../ledger/states.ts';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { encodeJob, type GrantJob, jobIdOf } from './jobs.ts';
import { allShards, type Belt, queueName, type Stage, shardOf, shardPrefix } from './shards.ts';

export interface Producer extends Lifecycle {
  /**
   * Enqueues all of them, in one round trip per class and shard. A shard whose node is away is passed over, and its jobs go to the next. It throws
   * when Redis is away: some may then be queued, which is harmless (same ids, stale epochs), as is one that is queued twice.
   */
  enqueue(jobs: readonly GrantJob[]): Promise<void>;
}

export interface ProducerOptions {
  readonly belt: Belt;
  readonly stage: Stage;
  readonly clock: Clock;
  readonly log: Log;
}

export const classNames = Object.keys(deliveryClasses) as readonly DeliveryClass[];

/** A shard that failed is tried last for so long: looking for its node takes longer than a dispatch pass. */
const restMs = 2_000;
/** With that many away, Redis is. */
const mostTried = 3;

export function createProducer({ belt, stage, clock, log }: ProducerOptions): Producer {
  /** By class and shard. */
  let queues: ReadonlyMap<string, Queue> = new Map();
  const restsUntil = new Map<number, number>();

  function open(name: DeliveryClass, shard: number): [string, Queue] {
    const options = { connection: belt.redis, prefix: shardPrefix(belt, shard) };
    return [`${name}-${shard}`, new Queue(queueName(stage, name), options)];
  }

  async function add(name: DeliveryClass, first: number, jobs: readonly GrantJob[]): Promise<void> {
    let failure: unknown;
    for (const shard of shardsFrom(first).slice(0, mostTried)) {
      try {
        await queues.get(`${name}-${shard}`)?.addBulk(jobs.map(toBulkJob));
        return;
      } catch (error) {
        failure = error;
        rest(shard, error);
      }
    }
    throw failure;
  }

  function shardsFrom(first: number): readonly number[] {
    const inTurn = allShards(belt.shards).map((shard) => (first + shard) % belt.shards);
    const isResting = (shard: number) => clock.monotonic() < (restsUntil.get(shard) ?? 0);
    return [...inTurn.filter((shard) => !isResting(shard)), ...inTurn.filter(isResting)];
  }

  function rest(shard: number, error: unknown): void {
    log.warn({ err: error, stage, shard }, 'a shard of the belt takes no jobs');
    restsUntil.set(shard, clock.monotonic() + restMs);
  }

  return {
    async start() {
      if (queues.size > 0) return;
      queues = new Map(
        classNames.flatMap((name) => allShards(belt.shards).map((shard) => open(name, shard))),
      );
    },
    async enqueue(jobs) {
      const groups = groupJobs(jobs, belt.shards);
      const added = await Promise.allSettled(
        groups.map((group) => add(group.class, group.shard, group.jobs)),
      );
      const failed = added.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
    async stop() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues = new Map();
    },
  };
}

interface JobGroup {
  readonly class: DeliveryClass;
  readonly shard: number;
  readonly jobs: GrantJob[];
}

function groupJobs(jobs: readonly GrantJob[], shards: number): readonly JobGroup[] {
  const groups = new Map<string, JobGroup>();
  for (const job of jobs) {
    const shard = shardOf(job, shards);
    const key = `${job.class}-${shard}`;
    const group = groups.get(key) ?? { class: job.class, shard, jobs: [] };
    group.jobs.push(job);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** One attempt and no trace: retries are the ledger's, and finished jobs would fill Redis. */
function toBulkJob(job: GrantJob) {
  const options = { jobId: jobIdOf(job), attempts: 1, removeOnComplete: true, removeOnFail: true };
  return { name: 'grants', data: encodeJob(job), opts: options };
}
