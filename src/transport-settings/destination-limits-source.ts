/**
 * What holds at each destination, for those who ask many times a second: in memory, looked at each second. A changed limit holds within two seconds;
 * while MySQL is away, the last ones stand.
 *
 * `perDay` is what may be outstanding now without exceeding the day's quotas. To be exact it has to be no older than what the asker knows to be
 * outstanding: a grant that ends moves from outstanding to attempted, and must not be missed in both. So the dispatcher reads its outstanding work,
 * calls `refreshQuotas` with it, and then asks.
 */
import type { DestinationLimits } from '../pacing/pace.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';
import { hasDayQuota } from '../transports/destination-limits.ts';
import { KnownDestinations } from './known-destinations.ts';
import { QuotasLeft } from './quotas-left.ts';

export interface DestinationLimitsSource extends Lifecycle {
  /** As known now. One that isn't known yet gets nothing until it was read, some ms later. */
  limitsOf(destinationId: number): DestinationLimits;
  /** Whether its attempts count against a quota; yes while it isn't known. */
  isCounted(destinationId: number): boolean;
  /** What is left of quotas, beside what each destination has outstanding. No statement when no known destination has one. */
  refreshQuotas(outstanding: ReadonlyMap<number, number>): Promise<void>;
  /** Reads what isn't known yet, and what has changed. */
  refresh(destinationIds?: readonly number[]): Promise<void>;
}

const refreshMs = 1_000;
const unknown: DestinationLimits = { perDay: 0 };

export function createDestinationLimitsSource(options: {
  readonly db: Sql;
  readonly log: Log;
}): DestinationLimitsSource {
  const { db, log } = options;
  const known = new KnownDestinations(db);
  const quotas = new QuotasLeft(db);
  const pass = async () => {
    await known.refresh();
    return 'idle' as const;
  };
  const loop = createLoop({ name: 'destination-limits', log, idleMs: refreshMs, pass });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    refresh: (ids) => known.refresh(ids),
    refreshQuotas: (outstanding) => quotas.look(known.stored(), outstanding),
    limitsOf(destinationId) {
      const entry = known.get(destinationId);
      if (!entry) {
        loop.wake();
        return unknown;
      }
      const { destination, limits } = entry;
      if (!destination || !hasDayQuota(destination.limits)) return limits;
      return { ...limits, perDay: quotas.of(destination) };
    },
    isCounted(destinationId) {
      const entry = known.get(destinationId);
      return !entry || (entry.destination !== undefined && hasDayQuota(entry.destination.limits));
    },
  };
}
