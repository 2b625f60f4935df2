/**
 * When the chunks of a campaign with a rate are due: when the rate has got through all before them. So they don't stand in line before other
 * campaigns of their lanes. Pure.
 */
export interface RatePlan {
  readonly perMinute: number;
  /** Recipients in the chunks before these. */
  readonly before: number;
  /** ms since the campaign started. */
  readonly runningMs: number;
}

/** ms from now, for chunks of such sizes; what should have gone already is due now. */
export function dueByRate(
  sizes: readonly number[],
  { perMinute, before, runningMs }: RatePlan,
): readonly number[] {
  let ahead = before;
  return sizes.map((size) => {
    const dueInMs = Math.max(0, (ahead / perMinute) * 60_000 - runningMs);
    ahead += size;
    return dueInMs;
  });
}
