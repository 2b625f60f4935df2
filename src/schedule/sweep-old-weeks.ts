/** Retention as one of housekeeping's sweeps: looks rarely, and goes on at once while there is something to drop. */
import { dropOldPartition } from '../ledger/retention.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Database } from '../platform/mysql.ts';

export interface OldWeeksOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** 0: everything is kept. */
  readonly weeks: number;
}

const lookEveryMs = 3_600_000;
/** Each try holds all sending for up to a second: not once a minute while somebody's backup runs for hours. */
const busyAgainMs = 600_000;

/** Drops one partition of one table at most; answers how many. */
export function createOldWeeksSweep({ db, clock, log, weeks }: OldWeeksOptions): () => Promise<number> {
  let nextAt = clock.monotonic();

  return async () => {
    if (weeks === 0 || clock.monotonic() < nextAt) return 0;
    // Set before the attempt: one that fails is not tried again at once.
    nextAt = clock.monotonic() + busyAgainMs;
    const retired = await dropOldPartition(db, { nowMs: clock.now(), weeks });
    if (retired.kind === 'none') nextAt = clock.monotonic() + lookEveryMs;
    if (retired.kind === 'busy') log.warn(retired, 'old week not dropped: its table is held');
    if (retired.kind !== 'dropped') return 0;
    nextAt = clock.monotonic();
    log.info(retired, 'old week dropped');
    return 1;
  };
}
