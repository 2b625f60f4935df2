/**
 * A worker's own share of each rate, while Redis is away: GCRA in memory, at the rate divided by the workers alive.
 *
 * A share begins with no token at all: each of many workers starting with one would be a burst of as many.
 */
import type { Bucket, Tokens } from './rate-gate.ts';

export interface LocalBuckets {
  take(buckets: readonly Bucket[], wanted: number, nowMs: number): Tokens;
  /** Tokens that were taken and not used. */
  giveBack(buckets: readonly Bucket[], tokens: number): void;
  /** Forgets all: the next share begins empty again. */
  clear(): void;
}

/** How much may come at once: a tenth of a second's worth, at least one. */
const burstSeconds = 0.1;
/** Far more than a worker's grants name at a time. Those that are full again hold nothing worth keeping. */
const mostKept = 10_000;

export function burstOf(perSecond: number): number {
  return Math.max(1, Math.floor(perSecond * burstSeconds));
}

export function createLocalBuckets(workers: () => number): LocalBuckets {
  /** Theoretical arrival time of the next message, ms. */
  const arrivals = new Map<string, number>();
  const shareOf = (bucket: Bucket) => bucket.perSecond / Math.max(1, workers());

  function waitOf(bucket: Bucket, nowMs: number, tokens: number): number {
    const share = shareOf(bucket);
    const spareMs = ((burstOf(share) - tokens) * 1_000) / share;
    return Math.max(0, Math.ceil(arrivalOf(bucket, nowMs) - nowMs - spareMs));
  }

  function arrivalOf(bucket: Bucket, nowMs: number): number {
    const share = shareOf(bucket);
    return Math.max(nowMs, arrivals.get(bucket.name) ?? nowMs + (burstOf(share) * 1_000) / share);
  }

  function freeOf(bucket: Bucket, nowMs: number): number {
    const share = shareOf(bucket);
    const usedMs = arrivalOf(bucket, nowMs) - nowMs;
    return Math.max(0, Math.floor(burstOf(share) - (usedMs * share) / 1_000 + 1e-6));
  }

  function move(bucket: Bucket, fromMs: number, tokens: number): void {
    arrivals.set(bucket.name, fromMs + (tokens * 1_000) / shareOf(bucket));
  }

  return {
    take(buckets, wanted, nowMs) {
      if (arrivals.size > mostKept) dropFull(arrivals, nowMs);
      const granted = buckets.reduce((least, bucket) => Math.min(least, freeOf(bucket, nowMs)), wanted);
      for (const bucket of buckets) move(bucket, arrivalOf(bucket, nowMs), granted);
      if (granted === wanted) return { granted, waitMs: 0 };
      const waits = buckets.map((bucket) => waitOf(bucket, nowMs, 1));
      const waitMs = Math.max(...waits);
      return { granted, waitMs, limitedBy: buckets[waits.indexOf(waitMs)]!.name };
    },
    giveBack(buckets, tokens) {
      for (const bucket of buckets) move(bucket, arrivals.get(bucket.name) ?? 0, -tokens);
    },
    clear: () => arrivals.clear(),
  };
}

function dropFull(arrivals: Map<string, number>, nowMs: number): void {
  for (const [name, arrivalMs] of arrivals) if (arrivalMs <= nowMs) arrivals.delete(name);
}
