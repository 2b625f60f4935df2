/** Things that grow old: partitions of the weeks to come are made, answered idempotency keys are forgotten. */
import { ensurePartitions } from '../ledger/partitions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';

export interface HousekeepingOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** The scheduler's own. */
  readonly leadership: Leadership;
  /** Each removes a bounded number of old rows and answers how many. */
  readonly sweeps: readonly (() => Promise<number>)[];
}

const pollMs = 60_000;

export function createHousekeeping({ db, clock, log, leadership, sweeps }: HousekeepingOptions): Loop {
  async function pass(): Promise<'busy' | 'idle'> {
    if (!(await leadership.lead())) return 'idle';
    await ensurePartitions(db, clock.now());
    let removed = 0;
    for (const sweep of sweeps) removed += await sweep();
    return removed > 0 ? 'busy' : 'idle';
  }

  // What fails is not tried again at once: changing partitions waits for every statement on the table, and others wait for it.
  return createLoop({ name: 'housekeeping', log, idleMs: pollMs, errorMs: pollMs, pass });
}
