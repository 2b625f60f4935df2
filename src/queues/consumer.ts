/**
 * Takes jobs off the belt: one BullMQ worker per class and shard, each with its own share of the concurrency, so that campaigns
 * never occupy the slots of transactional mail. Each has a connection of its own that waits for jobs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import type { DeliveryClass } from '../ledger/states.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { RedisClient } from '../platform/redis.ts';
import { decodeJob, type GrantJob } from './jobs.ts';
import { classNames } from './producer.ts';
import { queueName, type Stage, shardPrefix } from './shards.ts';

export interface ConsumerOptions {
  readonly stage: Stage;
  readonly redis: RedisClient;
  readonly prefix: string;
  /** The shards to read: all that are filled, and perhaps some that will be or were. */
  readonly shards: readonly number[];
  readonly log: Log;
  /** Jobs at once for campaigns, shared by the shards, at least one each; the other classes get a quarter of it each on top, at least one. */
  readonly concurrency: number;
  /** Does one job. It throws only for broken infrastructure; the chunks then come back when their leases are over. */
  readonly work: (job: GrantJob) => Promise<void>;
  /** Called at stop, after the last new job: makes running ones end early. */
  readonly drain?: () => Promise<void>;
}

/**
 * Closing waits for the worker's last command, which on a cluster is repeated for as long as its node is away. No job is under way any more then,
 * and the connections are cut right after.
 */
const longestCloseMs = 3_000;

export function createConsumer(options: ConsumerOptions): Lifecycle {
  const { log, drain } = options;
  let workers: Worker[] = [];

  return {
    async start() {
      if (workers.length > 0) return;
      workers = options.shards.flatMap((shard) =>
        classNames.map((name) => createWorker(options, shard, name)),
      );
      for (const worker of workers)
        void worker.run().catch((error) => log.error({ err: error }, 'belt worker ended'));
    },
    async stop() {
      const stopping = workers;
      workers = [];
      // Pausing locally returns at once: no further job is taken while the running ones are told to end.
      await Promise.all(stopping.map((worker) => worker.pause(true)));
      await drain?.();
      await closeInTime(stopping, options);
    },
  };
}

async function closeInTime(workers: readonly Worker[], { log, stage }: ConsumerOptions): Promise<void> {
  const closed = Promise.all(workers.map((worker) => worker.close())).then(() => true);
  const isClosed = await Promise.race([closed, pause(longestCloseMs, false, { ref: false })]);
  if (!isClosed) log.warn({ stage }, 'belt workers left to end with their connection');
}

function createWorker(options: ConsumerOptions, shard: number, deliveryClass: DeliveryClass): Worker {
  const { stage, redis, prefix, log, work } = options;
  const process = async (job: Job) => {
    const decoded = decodeJob(job.data);
    if (!decoded) return log.warn({ jobId: job.id }, 'job of an unknown version left alone');
    await work(decoded);
  };
  const worker = new Worker(queueName(stage, deliveryClass), process, {
    connection: redis,
    prefix: shardPrefix({ redis, prefix }, shard),
    concurrency: concurrencyOf(options, deliveryClass),
    autorun: false,
    lockDuration: 30_000,
    stalledInterval: 30_000,
    maxStalledCount: 1,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', (error) => log.warn({ err: error, stage, shard }, 'belt worker'));
  worker.on('failed', (job, error) => log.error({ err: error, stage, jobId: job?.id }, 'job failed'));
  return worker;
}

function concurrencyOf({ concurrency, shards }: ConsumerOptions, deliveryClass: DeliveryClass): number {
  const ofClass = deliveryClass === 'campaign' ? concurrency : concurrency / 4;
  return Math.max(1, Math.ceil(ofClass / shards.length));
}
