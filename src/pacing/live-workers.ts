/** How many send workers live, by Redis's clock: each says so every second, and counts for ten seconds after it last did. */
import type { RedisClient } from '../platform/redis.ts';
import { workersKey } from './pace-keys.ts';

/**
 * In:  KEYS[1] workers; ARGV[1] owner, ARGV[2] ms it counts for. Out: how many there are.
 * Rows: a sorted set, one member per live worker; those whose term is over are removed.
 */
const countScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

const termMs = 10_000;

export function countWorkers(
  pipeline: ReturnType<RedisClient['pipeline']>,
  home: string,
  owner: string,
): void {
  pipeline.eval(countScript, 1, workersKey(home), owner, termMs);
}

export async function forgetWorker(redis: RedisClient, home: string, owner: string): Promise<void> {
  await redis.zrem(workersKey(home), owner);
}
