/**
 * The buckets of one home: on one Redis all there are, of a cluster those that one call can reach.
 *
 * While it is away a worker goes on with its share (`local-buckets.ts`). When it is back, both are asked for a while: the others may
 * not have noticed yet, and what they take is not in the shared buckets.
 */
import { within } from './answer-in-time.ts';
import { burstOf, createLocalBuckets } from './local-buckets.ts';
import type { Bucket, RateGate, RateGateOptions, Tokens } from './rate-gate.ts';
import { rateScript } from './rate-script.ts';

export interface HomeRateGate extends RateGate {
  /** Tokens that were taken and not used. Should Redis not hear of it, they are lost: slower for a moment, never faster. */
  giveBack(buckets: readonly Bucket[], tokens: number): void;
}

/** Redis that does not answer in time is away: a message may not wait for longer than it would for a token. */
const answerMs = 500;
const askAgainMs = 250;
/** Longer than the longest pause before a worker connects again (`platform/redis.ts`): after it all have Redis again. */
const bothForMs = 2_000;

export function createHomeRateGate(options: RateGateOptions, home: string): HomeRateGate {
  const { redis, clock, workers, log } = options;
  const local = createLocalBuckets(workers);
  let isAway = false;
  let askAgainAt = 0;
  /** Until then the local share counts as well. */
  let bothUntil = 0;

  function call(buckets: readonly Bucket[], wanted: number): Promise<unknown> {
    const keys = buckets.map(({ name }) => `${home}:rate:${name}`);
    const rates = buckets.flatMap(({ perSecond }) => [1_000_000 / perSecond, burstOf(perSecond)]);
    return within(answerMs, redis.eval(rateScript, keys.length, ...keys, wanted, ...rates));
  }

  async function takeShared(buckets: readonly Bucket[], wanted: number): Promise<Tokens> {
    const [granted, waitMs, limiting] = (await call(buckets, wanted)) as [number, number, number];
    return tokensOf(granted, waitMs, buckets[limiting - 1]);
  }

  /** What the share gives, if Redis, when it can be asked, gives it too. */
  async function takeBoth(buckets: readonly Bucket[], wanted: number): Promise<Tokens> {
    const own = local.take(buckets, wanted, clock.monotonic());
    if (own.granted === 0 || clock.monotonic() < askAgainAt) return own;
    try {
      const shared = await takeShared(buckets, own.granted);
      noteBack();
      local.giveBack(buckets, own.granted - shared.granted);
      return shared.granted < own.granted ? shared : own;
    } catch (error) {
      noteAway(error);
      return own;
    }
  }

  function noteAway(error: unknown): void {
    if (!isAway) log.warn({ err: error, home }, 'rates: Redis is away, each worker keeps to its share');
    isAway = true;
    askAgainAt = clock.monotonic() + askAgainMs;
    bothUntil = Number.POSITIVE_INFINITY;
  }

  function noteBack(): void {
    if (isAway) bothUntil = clock.monotonic() + bothForMs;
    isAway = false;
  }

  return {
    async take(buckets, wanted) {
      if (clock.monotonic() < bothUntil) return takeBoth(buckets, wanted);
      local.clear();
      try {
        return await takeShared(buckets, wanted);
      } catch (error) {
        noteAway(error);
        return local.take(buckets, wanted, clock.monotonic());
      }
    },
    giveBack(buckets, tokens) {
      if (clock.monotonic() < bothUntil) local.giveBack(buckets, tokens);
      if (!isAway) void call(buckets, -tokens).catch(() => undefined);
    },
  };
}

function tokensOf(granted: number, waitMs: number, bucket: Bucket | undefined): Tokens {
  return bucket ? { granted, waitMs, limitedBy: bucket.name } : { granted, waitMs: 0 };
}
