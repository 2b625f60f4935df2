/** What to do next about the workers of a fleet. Pure. */

export const pools = ['render', 'send'] as const;
export type Pool = (typeof pools)[number];
export type Desired = Readonly<Record<Pool, number>>;

export type PoolChange =
  | { readonly pool: Pool; readonly kind: 'start'; readonly workers: number }
  | { readonly pool: Pool; readonly kind: 'stop' };

export interface FleetSize {
  /** Running, and not told to stop. */
  readonly workers: Desired;
  readonly isStopping: boolean;
  readonly min: number;
  readonly max: number;
}

/**
 * All that are missing start; of those too many one is told to stop, and the next when that has ended: what each leaves behind goes to the others a little
 * at a time.
 */
export function planChanges(desired: Desired, size: FleetSize): readonly PoolChange[] {
  const { workers, isStopping, min, max } = size;
  const missing = (pool: Pool) => Math.min(max, Math.max(min, desired[pool])) - workers[pool];
  const starts = pools
    .filter((pool) => missing(pool) > 0)
    .map((pool) => ({ pool, kind: 'start' as const, workers: missing(pool) }));
  const tooMany = pools.filter((pool) => missing(pool) < 0).sort((a, b) => missing(a) - missing(b))[0];
  if (!tooMany || isStopping) return starts;
  return [...starts, { pool: tooMany, kind: 'stop' }];
}
