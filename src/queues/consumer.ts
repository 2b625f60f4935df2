/**
 * Takes jobs off the belt: one BullMQ worker per class, each with its own share of the concurrency, so that campaigns
 * never occupy the slots of transactional mail.
 */
import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { DeliveryClass } from '../ledger/states.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { decodeJob, type GrantJob } from './jobs.ts';
import { classNames, queueName, type Stage } from './producer.ts';

export interface ConsumerOptions {
  readonly stage: Stage;
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Log;
  /** Jobs at once for campaigns; the other classes get a quarter of it each on top, at least one. */
  readonly concurrency: number;
  /** Does one job. It throws only for broken infrastructure; the chunks then come back when their leases are over. */
  readonly work: (job: GrantJob) => Promise<void>;
  /** Called at stop, after the last new job: makes running ones end early. */
  readonly drain?: () => Promise<void>;
}

export function createConsumer(options: ConsumerOptions): Lifecycle {
  const { log, drain } = options;
  let workers: Worker[] = [];

  return {
    async start() {
      if (workers.length > 0) return;
      workers = classNames.map((name) => createWorker(options, name));
      for (const worker of workers)
        void worker.run().catch((error) => log.error({ err: error }, 'belt worker ended'));
    },
    async stop() {
      const stopping = workers;
      workers = [];
      // Pausing locally returns at once: no further job is taken while the running ones are told to end.
      await Promise.all(stopping.map((worker) => worker.pause(true)));
      await drain?.();
      await Promise.all(stopping.map((worker) => worker.close()));
    },
  };
}

function createWorker(options: ConsumerOptions, deliveryClass: DeliveryClass): Worker {
  const { stage, redis, prefix, log, work } = options;
  const process = async (job: Job) => {
    const decoded = decodeJob(job.data);
    if (!decoded) return log.warn({ jobId: job.id }, 'job of an unknown version left alone');
    await work(decoded);
  };
  const worker = new Worker(queueName(stage, deliveryClass), process, {
    connection: redis,
    prefix: `${prefix}:belt`,
    concurrency: concurrencyOf(options.concurrency, deliveryClass),
    autorun: false,
    lockDuration: 30_000,
    stalledInterval: 30_000,
    maxStalledCount: 1,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', (error) => log.warn({ err: error, stage }, 'belt worker'));
  worker.on('failed', (job, error) => log.error({ err: error, stage, jobId: job?.id }, 'job failed'));
  return worker;
}

function concurrencyOf(campaigns: number, deliveryClass: DeliveryClass): number {
  return deliveryClass === 'campaign' ? campaigns : Math.max(1, Math.ceil(campaigns / 4));
}
