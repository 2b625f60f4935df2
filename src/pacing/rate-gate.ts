/**
 * Rates, shared by the fleet: GCRA buckets in Redis, several per call, many messages per call, Redis's clock.
 *
 * GCRA keeps one number, the theoretical arrival time of the next message. A message needs a token of every bucket it counts against (its
 * destination, transport, tenant and campaign): as many are granted as the poorest has, and all pay for just these. A bucket that was
 * lost starts cold: no burst, so that losing Redis never means a flood.
 *
 * While Redis is away a worker goes on with its share (`local-buckets.ts`). When it is back, both are asked for a while: the others may
 * not have noticed yet, and what they take is not in the shared buckets.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { within } from './answer-in-time.ts';
import { burstOf, createLocalBuckets } from './local-buckets.ts';

/** A limit that messages count against. Names: d:<destinationId>, t:<transportId>, n:<tenantId>, c:<campaignId>. */
export interface Bucket {
  readonly name: string;
  readonly perSecond: number;
}

export interface Tokens {
  /** Messages that may start within the next second: at most what was asked for. */
  readonly granted: number;
  /** ms until the next one, when fewer were granted than asked for; else 0. */
  readonly waitMs: number;
  /** The name of the bucket that is waited for. */
  readonly limitedBy?: string;
}

export interface RateGate {
  /** Never throws. Tokens that are not used are lost: ask for what is there to be sent. */
  take(buckets: readonly Bucket[], wanted: number): Promise<Tokens>;
}

export interface RateGateOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly clock: Clock;
  /** Send workers alive, by the last count: a worker's share while Redis is away. */
  readonly workers: () => number;
  readonly log: Log;
}

/** Redis that does not answer in time is away: a message may not wait for longer than it would for a token. */
const answerMs = 500;
const askAgainMs = 250;
/** Longer than the longest pause before a worker connects again (`platform/redis.ts`): after it all have Redis again. */
const bothForMs = 2_000;

/**
 * In:  KEYS buckets; ARGV[1] wanted, then for each bucket µs between messages and burst in messages.
 * Out: {granted, ms until the next, number of the bucket that is waited for}; the last two 0 when all was granted.
 * Rows: one string per bucket, expiring a minute after it is full again.
 * µs since 1970 leave a double no room for fractions: an interval may only be divided by, not added to them, or a bucket of one token never has it.
 */
const gcra = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local wanted = tonumber(ARGV[1])
local granted = wanted
local tats = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local stored = redis.call('GET', key)
  local tat = stored and tonumber(stored) or now + (burst - 1) * interval
  if tat < now then tat = now end
  tats[i] = tat
  granted = math.min(granted, math.max(0, math.floor(burst - (tat - now) / interval + 1e-6)))
end
local wait, limiting = 0, 0
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local tat = tats[i] + granted * interval
  redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 60000)
  local need = math.ceil((tat - now - (burst - 1) * interval) / 1000)
  if granted < wanted and need > wait then wait = need; limiting = i end
end
return {granted, wait, limiting}`;

export function createRateGate(options: RateGateOptions): RateGate {
  const { redis, prefix, clock, workers, log } = options;
  const local = createLocalBuckets(workers);
  let isAway = false;
  let askAgainAt = 0;
  /** Until then the local share counts as well. */
  let bothUntil = 0;

  async function takeShared(buckets: readonly Bucket[], wanted: number): Promise<Tokens> {
    const keys = buckets.map(({ name }) => `${prefix}:rate:${name}`);
    const rates = buckets.flatMap(({ perSecond }) => [1_000_000 / perSecond, burstOf(perSecond)]);
    const answer = await within(answerMs, redis.eval(gcra, keys.length, ...keys, wanted, ...rates));
    const [granted, waitMs, limiting] = answer as [number, number, number];
    return tokensOf(granted, waitMs, buckets[limiting - 1]);
  }

  /** What the share gives, if Redis, when it can be asked, gives it too. */
  async function takeBoth(buckets: readonly Bucket[], wanted: number): Promise<Tokens> {
    const own = local.take(buckets, wanted, clock.monotonic());
    if (own.granted === 0 || clock.monotonic() < askAgainAt) return own;
    try {
      const shared = await takeShared(buckets, own.granted);
      found();
      local.giveBack(buckets, own.granted - shared.granted);
      return shared.granted < own.granted ? shared : own;
    } catch (error) {
      lost(error);
      return own;
    }
  }

  function lost(error: unknown): void {
    if (!isAway) log.warn({ err: error }, 'rates: Redis is away, each worker keeps to its share');
    isAway = true;
    askAgainAt = clock.monotonic() + askAgainMs;
    bothUntil = Number.POSITIVE_INFINITY;
  }

  function found(): void {
    if (isAway) bothUntil = clock.monotonic() + bothForMs;
    isAway = false;
  }

  return {
    async take(buckets, wanted) {
      if (buckets.length === 0 || wanted === 0) return { granted: wanted, waitMs: 0 };
      if (clock.monotonic() < bothUntil) return takeBoth(buckets, wanted);
      local.clear();
      try {
        return await takeShared(buckets, wanted);
      } catch (error) {
        lost(error);
        return local.take(buckets, wanted, clock.monotonic());
      }
    },
  };
}

function tokensOf(granted: number, waitMs: number, bucket: Bucket | undefined): Tokens {
  return bucket ? { granted, waitMs, limitedBy: bucket.name } : { granted, waitMs: 0 };
}
