/** Puts jobs on the belt. The queues are `render-<class>` and `send-<class>`. */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type DeliveryClass, deliveryClasses } from '../ledger/states.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import { encodeJob, type GrantJob, jobIdOf } from './jobs.ts';

export type Stage = 'render' | 'send';

export interface Producer extends Lifecycle {
  /**
   * Enqueues all of them, in one round trip per class. It throws when Redis is away: some may then be queued, which
   * is harmless (same ids, stale epochs).
   */
  enqueue(jobs: readonly GrantJob[]): Promise<void>;
  /** Jobs that wait, by class. */
  countWaiting(): Promise<Readonly<Record<DeliveryClass, number>>>;
}

export const classNames = Object.keys(deliveryClasses) as readonly DeliveryClass[];

export function queueName(stage: Stage, deliveryClass: DeliveryClass): string {
  return `${stage}-${deliveryClass}`;
}

export function createProducer(redis: Redis, prefix: string, stage: Stage): Producer {
  let queues: ReadonlyMap<DeliveryClass, Queue> = new Map();

  return {
    async start() {
      const open = (name: DeliveryClass) =>
        new Queue(queueName(stage, name), { connection: redis, prefix: `${prefix}:belt` });
      if (queues.size === 0) queues = new Map(classNames.map((name) => [name, open(name)]));
    },
    async enqueue(jobs) {
      for (const name of classNames) {
        const ofClass = jobs.filter((job) => job.class === name);
        if (ofClass.length > 0) await queues.get(name)?.addBulk(ofClass.map(toBulkJob));
      }
    },
    async countWaiting() {
      const counts = await Promise.all(classNames.map((name) => queues.get(name)?.getWaitingCount() ?? 0));
      return Object.fromEntries(classNames.map((name, i) => [name, counts[i] ?? 0])) as Record<
        DeliveryClass,
        number
      >;
    },
    async stop() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues = new Map();
    },
  };
}

/** One attempt and no trace: retries are the ledger's, and finished jobs would fill Redis. */
function toBulkJob(job: GrantJob) {
  const options = { jobId: jobIdOf(job), attempts: 1, removeOnComplete: true, removeOnFail: true };
  return { name: 'grants', data: encodeJob(job), opts: options };
}
