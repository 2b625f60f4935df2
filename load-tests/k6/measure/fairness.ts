/** How evenly a run's campaigns were served. Pure. */

export interface Job {
  /** When it was due, in ms. */
  readonly atMs: number;
  readonly messages: number;
}

/** Jain's index: 1 when all values are equal, 1/n when one has everything. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares);
}

/**
 * When each would have ended, in ms, had all that were under way shared the same speed evenly at every moment: what "fair" means for campaigns of
 * different sizes. Moves from event to event: a job comes, or those with the least left end. Each event takes a job in or out, whatever is rounded.
 */
export function idealEnds(jobs: readonly Job[], perSecond: number): number[] {
  const perMs = perSecond / 1_000;
  const coming = jobs.map((job, i) => ({ ...job, i, left: job.messages })).sort((a, b) => a.atMs - b.atMs);
  const ends = jobs.map(({ atMs }) => atMs);
  let under: typeof coming = [];
  let now = 0;
  while (coming.length > 0 || under.length > 0) {
    const arrival = coming[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const least = Math.min(...under.map(({ left }) => left));
    const ending = under.length === 0 ? Number.POSITIVE_INFINITY : now + (least * under.length) / perMs;
    if (arrival <= ending) {
      const each = under.length === 0 ? 0 : ((arrival - now) * perMs) / under.length;
      for (const job of under) job.left -= each;
      under.push(coming.shift() as (typeof coming)[number]);
      now = arrival;
    } else {
      for (const { i, left } of under) if (left <= least) ends[i] = ending;
      under = under.filter(({ left }) => left > least).map((job) => ({ ...job, left: job.left - least }));
      now = ending;
    }
  }
  return ends;
}

/** A campaign's time against its ideal one, 1 being ideal. Below the floor both count as the floor: starting and completing take their time however small it is. */
export function speedsAgainstIdeal(
  jobs: readonly (Job & { readonly endMs: number })[],
  { perSecond, floorMs }: { readonly perSecond: number; readonly floorMs: number },
): number[] {
  const ends = idealEnds(jobs, perSecond);
  return jobs.map(
    ({ atMs, endMs }, i) => Math.max(floorMs, ends[i]! - atMs) / Math.max(floorMs, endMs - atMs),
  );
}

/** Seconds in which anything was under way. */
export function busySeconds(spans: readonly { readonly atMs: number; readonly endMs: number }[]): number {
  let sum = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { atMs, endMs } of [...spans].sort((a, b) => a.atMs - b.atMs)) {
    sum += Math.max(0, endMs - Math.max(atMs, until));
    until = Math.max(until, endMs);
  }
  return sum / 1_000;
}

/** The value that `part` (0 to 1) of them don't exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
