/** Times to first attempt of billions of messages, in buckets of five per cent. */
export const groups = ['smallest', 'others', 'whales'] as const;
export type Group = (typeof groups)[number];

const leastSeconds = 0.1;
const step = Math.log(1.05);
const buckets = 400;

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export class Waits {
  readonly #counts = new Map<string, Float64Array>();

  /** `label`: whatever is to be told apart. */
  add(label: string, waitMs: number, messages: number): void {
    const bucket = Math.ceil(Math.log(Math.max(waitMs / 1_000, leastSeconds) / leastSeconds) / step);
    const counts = this.#counts.get(label) ?? new Float64Array(buckets);
    this.#counts.set(label, counts);
    const at = Math.min(buckets - 1, bucket);
    counts[at] = (counts[at] as number) + messages;
  }

  /** Seconds. */
  percentiles(label: string): Percentiles {
    const counts = this.#counts.get(label) ?? new Float64Array(buckets);
    return {
      p50: percentile(counts, 0.5),
      p95: percentile(counts, 0.95),
      p99: percentile(counts, 0.99),
    };
  }

  /** For a plot: share of messages begun within so many seconds. */
  distribution(label: string): readonly (readonly [seconds: number, share: number])[] {
    const counts = this.#counts.get(label) ?? new Float64Array(buckets);
    const sum = counts.reduce((total, n) => total + n, 0);
    let below = 0;
    return [...counts].flatMap((n, i) => {
      below += n;
      return n > 0 ? [[secondsOf(i), below / sum] as const] : [];
    });
  }
}

function percentile(counts: Float64Array, part: number): number {
  const sum = counts.reduce((total, n) => total + n, 0);
  let below = 0;
  for (const [i, n] of counts.entries()) {
    below += n;
    if (n > 0 && below >= part * sum) return secondsOf(i);
  }
  return 0;
}

function secondsOf(bucket: number): number {
  return leastSeconds * Math.exp(bucket * step);
}
