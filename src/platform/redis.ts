/**
 * Redis connections. Redis is a belt and a cache here: all it holds can be rebuilt from MySQL (DESIGN 2).
 */
import { Redis } from 'ioredis';
import { AppError } from '../errors.ts';
import type { Log } from './log.ts';

/** For commands of ours: fails at once while Redis is away, so that callers fall back instead of queueing. */
export function connectRedis(url: string, log: Log): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 5_000,
    lazyConnect: true,
    retryStrategy: reconnectDelayMs,
  });
  redis.on('error', (error) => log.warn({ err: error }, 'redis connection'));
  return redis;
}

/** For BullMQ workers, whose blocking reads must outlive an outage (it refuses a number here). */
export function connectRedisForWorkers(url: string, log: Log): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    lazyConnect: true,
    retryStrategy: reconnectDelayMs,
  });
  redis.on('error', (error) => log.warn({ err: error }, 'redis connection'));
  return redis;
}

/** Connects, or does nothing when it is connected. A refused first try ends ioredis's own retries, so it may be called again. */
export async function connectOnce(redis: Redis): Promise<void> {
  if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
  await redis.ping();
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000);
}

/** With any other policy Redis drops keys of BullMQ's when memory is short, and work would seem done. */
export async function assertNoEviction(redis: Redis): Promise<void> {
  const reply = (await redis.info('memory')) as string;
  const policy = /^maxmemory_policy:(\S+)/m.exec(reply)?.[1];
  if (policy !== 'noeviction') {
    throw new AppError('unavailable', {
      detail: `Redis has maxmemory-policy ${policy}; Sluice needs noeviction`,
    });
  }
}
