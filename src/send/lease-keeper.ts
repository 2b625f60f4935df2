/**
 * Keeps the leases of all running grants, in one statement, three times in a term. A renewal that fails is tried again
 * until the runs stop trusting their leases by themselves; whoever lost its chunk is told.
 */
import { claimGrant, renewLeases } from '../ledger/claim.ts';
import type { Grant } from '../ledger/grant.ts';
import type { GroupCommit } from '../ledger/group-commit.ts';
import type { LeaseTerms } from '../ledger/lease.ts';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import type { GrantRun } from './grant-run.ts';

export interface LeaseKeeper extends Lifecycle {
  readonly terms: LeaseTerms;
  /** Claims a grant; the monotonic time of asking when it is ours, undefined when it is stale or another's. */
  claim(grant: Grant): Promise<number | undefined>;
  keep(run: GrantRun): void;
  forget(run: GrantRun): void;
}

export interface LeaseKeeperOptions {
  readonly db: Database;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
  readonly owner: string;
  readonly terms: LeaseTerms;
}

export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { db, commits, clock, log, owner, terms } = options;
  const runs = new Set<GrantRun>();

  async function renew(): Promise<'idle'> {
    const asked = clock.monotonic();
    const kept = [...runs];
    const grants = kept.map((run) => run.grant);
    // In a transaction, because those are tried again after a deadlock: it locks many chunks, as groups of intents do.
    const lost = new Set(await db.transaction((tx) => renewLeases(tx, grants, owner, terms.leaseMs)));
    for (const run of kept) {
      if (!lost.has(run.grant)) run.renewed(asked);
      else if (runs.has(run)) loseRun(run);
    }
    return 'idle';
  }

  function loseRun(run: GrantRun): void {
    log.warn(run.fields, 'lease lost');
    run.lose();
  }

  const errorMs = Math.min(1_000, terms.renewEveryMs);
  const loop = createLoop({ name: 'leases', log, idleMs: terms.renewEveryMs, errorMs, pass: renew });
  return {
    terms,
    start: () => loop.start(),
    stop: () => loop.stop(),
    async claim(grant) {
      const asked = clock.monotonic();
      const isOurs = await commits.runStatement((sql) => claimGrant(sql, grant, owner, terms.leaseMs));
      return isOurs ? asked : undefined;
    },
    keep: (run) => runs.add(run),
    forget: (run) => runs.delete(run),
  };
}
