/**
 * What naive queues cost Redis: bytes of a waiting job per recipient, and CPU of its main thread per job and per visit to an empty queue. For the
 * naive designs of docs/black-friday.md. Needs a Redis that nobody else uses meanwhile.
 *
 *     REDIS_URL=... node dist/load-tests/bench/queue-costs.js
 */
import { randomBytes } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const jobs = 20_000;
const visits = 20_000;
const atOnce = 50;
const prefix = `queue-costs-${randomBytes(4).toString('hex')}`;
const redis = new Redis(process.env.REDIS_URL as string, { maxRetriesPerRequest: null });
const queue = new Queue('mail', { connection: redis, prefix });

const before = await readInfo();
await addAll();
const full = await readInfo();
await workAll();
const worked = await readInfo();
await visitEmpty();
const visited = await readInfo();
const microseconds = (from: number, to: number, n: number) => ((to - from) * 1e6) / n;
console.log(
  JSON.stringify({
    jobs,
    bytesPerWaitingJob: Math.round((full.bytes - before.bytes) / jobs),
    redisMicrosecondsPerJob: round(microseconds(before.cpuSeconds, worked.cpuSeconds, jobs)),
    redisMicrosecondsPerEmptyVisit: round(microseconds(worked.cpuSeconds, visited.cpuSeconds, visits)),
  }),
);
await queue.obliterate({ force: true });
process.exit(0);

async function readInfo(): Promise<{ readonly bytes: number; readonly cpuSeconds: number }> {
  const info = `${await redis.info('memory')}\n${await redis.info('cpu')}`;
  const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return { bytes: of('used_memory'), cpuSeconds: of('used_cpu_user') + of('used_cpu_sys') };
}

async function addAll(): Promise<void> {
  for (let at = 0; at < jobs; at += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, i) => at + i);
    await queue.addBulk(
      ids.map((id) => ({ name: 'mail', data: { deliveryId: id }, opts: { removeOnComplete: true } })),
    );
  }
}

function workAll(): Promise<void> {
  let done = 0;
  return new Promise((fulfil) => {
    const worker = new Worker('mail', async () => {}, { connection: redis, prefix, concurrency: atOnce });
    worker.on('completed', () => {
      done++;
      if (done === jobs) void worker.close().then(fulfil);
    });
  });
}

/** As a worker that goes round many queues asks each: is there anything? */
async function visitEmpty(): Promise<void> {
  const worker = new Worker('mail', null, { connection: redis, prefix });
  for (let at = 0; at < visits; at += atOnce)
    await Promise.all(
      Array.from({ length: atOnce }, (_, i) => worker.getNextJob(`${at}-${i}`, { block: false })),
    );
  await worker.close();
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
