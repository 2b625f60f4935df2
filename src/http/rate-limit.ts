/**
 * Requests per second of a key, an address or the admin, counted in Redis for all API processes together. Without
 * Redis each process counts for itself: the limit is a protection and must not become an outage.
 */
import type { ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';
import { AppError } from '../errors.ts';
import type { RedisClient } from '../platform/redis.ts';

export interface RateLimitOptions {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly requestsPerSecond: number;
}

export interface RateLimit {
  /** Takes one request of `key` and says in RateLimit headers what is left; throws `rate_limited` when nothing is. */
  charge(res: ServerResponse, key: string): Promise<void>;
  /** Throws `rate_limited` while this process knows that nothing is left; takes nothing and asks nobody. */
  assertNotSpent(key: string): void;
}

/** A Redis that hangs is given up after this long. */
const redisPatienceMs = 250;

export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { requestsPerSecond } = options;
  const limiter = createLimiter(options);
  const spent = new LRUCache<string, true>({ max: 10_000, ttl: 1_000 });

  return {
    async charge(res, key) {
      const { state, allowed } = await take(limiter, key);
      const resetMs = Math.max(1, state.msBeforeNext);
      res.setHeader('RateLimit-Limit', requestsPerSecond);
      res.setHeader('RateLimit-Remaining', Math.max(0, state.remainingPoints));
      res.setHeader('RateLimit-Reset', Math.ceil(resetMs / 1000));
      if (allowed) return;
      spent.set(key, true, { ttl: resetMs });
      throw tooMany(requestsPerSecond, resetMs);
    },
    assertNotSpent(key) {
      if (spent.has(key)) throw tooMany(requestsPerSecond, spent.getRemainingTTL(key));
    },
  };
}

function tooMany(requestsPerSecond: number, resetMs: number): AppError {
  return new AppError('rate_limited', {
    detail: `At most ${requestsPerSecond} requests a second are taken`,
    retryAfterSeconds: Math.ceil(resetMs / 1000),
  });
}

/** IPv6 by its /64, the least that one caller has. */
export function addressKey(address: string | undefined): string {
  const text = (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!text.includes(':')) return `ip-${text}`;
  const [head = '', tail] = text.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const missing = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, missing)).fill('0'), ...last];
  return `ip-${groups.slice(0, 4).join('-')}`;
}

function createLimiter({ redis, prefix, requestsPerSecond }: RateLimitOptions): RLWrapperTimeouts {
  const points = { points: requestsPerSecond, duration: 1, keyPrefix: `${prefix}:http-rate` };
  const limiter = new RateLimiterRedis({
    ...points,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    // A key over its limit is refused from memory: refusing must stay cheap.
    inMemoryBlockOnConsumed: requestsPerSecond,
  });
  const insuranceLimiter = new RateLimiterMemory(points);
  return new RLWrapperTimeouts({ limiter, timeoutMs: redisPatienceMs, insuranceLimiter });
}

async function take(
  limiter: RLWrapperTimeouts,
  key: string,
): Promise<{ state: RateLimiterRes; allowed: boolean }> {
  try {
    return { state: await limiter.consume(key), allowed: true };
  } catch (error) {
    if (error instanceof RateLimiterRes) return { state: error, allowed: false };
    throw error;
  }
}
