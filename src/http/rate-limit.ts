/**
 * Requests per second of a key, an address or the admin, counted in Redis for all API processes together. Without
 * Redis each process counts for itself: the limit is a protection and must not become an outage.
 */
import type { ServerResponse } from 'node:http';
import type { Redis } from 'ioredis';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';
import { AppError } from '../errors.ts';

export interface RateLimitOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly requestsPerSecond: number;
}

/** Takes one request of `key` and says in RateLimit headers what is left; throws `rate_limited` when nothing is. */
export type ChargeRequest = (res: ServerResponse, key: string) => Promise<void>;

/** A Redis that hangs is given up after this long. */
const redisPatienceMs = 250;

export function createRateLimit(options: RateLimitOptions): ChargeRequest {
  const { requestsPerSecond } = options;
  const limiter = createLimiter(options);

  return async (res, key) => {
    const { state, allowed } = await take(limiter, key);
    const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    res.setHeader('RateLimit-Limit', requestsPerSecond);
    res.setHeader('RateLimit-Remaining', Math.max(0, state.remainingPoints));
    res.setHeader('RateLimit-Reset', resetSeconds);
    if (allowed) return;
    throw new AppError('rate_limited', {
      detail: `At most ${requestsPerSecond} requests a second are taken`,
      retryAfterSeconds: resetSeconds,
    });
  };
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
