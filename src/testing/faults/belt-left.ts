/** I5: what a run leaves in Redis. Nothing that grows: no job but what killed workers held, no key that neither ends nor is one of a fixed few. */
import type { Redis } from 'ioredis';
import { redisPrefix } from './installation.ts';

const mostBytes = 64 * 1024 * 1024;
/** A killed worker's jobs stay in `active` until BullMQ's stalled check, 30 to 60 s later; they find their epochs stale. */
const mostJobsPerKilledWorker = 24;

export async function checkBelt(
  redis: Redis,
  tenantIds: readonly number[],
  killedWorkers: number,
): Promise<readonly string[]> {
  const keys = (await redis.keys(`${redisPrefix}:*`)) as string[];
  const jobs = keys.filter((key) => tenantIds.includes(tenantOfJob(key)));
  const rendered = keys.filter((key) => key.startsWith(`${redisPrefix}:rendered:`));
  const forEver = await filterForEver(redis, rendered);
  const bytes = Number(/used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0);
  const mostJobs = killedWorkers * mostJobsPerKilledWorker;
  return [
    ...(jobs.length <= mostJobs ? [] : [`I5 ${jobs.length} jobs left (${jobs.slice(0, 3).join(', ')})`]),
    ...forEver.map((key) => `I5 ${key} never ends`),
    ...(bytes <= mostBytes ? [] : [`I5 ${bytes} bytes in Redis`]),
  ];
}

/** A job's id begins with its tenant; -1 for any other key. */
function tenantOfJob(key: string): number {
  return Number(/:belt:[a-z]+-[a-z]+:(\d+)-[^:]+$/.exec(key)?.[1] ?? -1);
}

async function filterForEver(redis: Redis, keys: readonly string[]): Promise<readonly string[]> {
  const lives = await Promise.all(keys.map((key) => redis.ttl(key)));
  return keys.filter((_, i) => lives[i] === -1);
}
