/**
 * Keeps the leases of all running grants, in one statement every 10 s. A renewal that fails is tried again
 * until the runs stop trusting their leases by themselves; whoever lost its chunk is told.
 */
import { claimGrant, renewLeases } from '../ledger/claim.ts';
import { type Grant, renewEveryMs } from '../ledger/grant.ts';
import type { GroupCommit } from '../ledger/group-commit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import type { GrantRun } from './grant-run.ts';

export interface LeaseKeeper extends Lifecycle {
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
}

export function createLeaseKeeper({ db, commits, clock, log, owner }: LeaseKeeperOptions): LeaseKeeper {
  const runs = new Set<GrantRun>();

  async function renew(): Promise<'idle'> {
    const asked = clock.monotonic();
    const kept = [...runs];
    const grants = kept.map((run) => run.grant);
    // In a transaction, because those are tried again after a deadlock: it locks many chunks, as groups of intents do.
    const lost = new Set(await db.transaction((tx) => renewLeases(tx, grants, owner)));
    for (const run of kept) {
      if (!lost.has(run.grant)) run.renewed(asked);
      else if (runs.has(run)) loseRun(run);
    }
    return 'idle';
  }

  function loseRun(run: GrantRun): void {
    log.warn(
      { tenantId: run.grant.tenantId, campaignId: run.grant.campaignId, chunkNo: run.grant.chunkNo },
      'lease lost',
    );
    run.lose();
  }

  const loop = createLoop({ name: 'leases', log, idleMs: renewEveryMs, errorMs: 1_000, pass: renew });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    async claim(grant) {
      const asked = clock.monotonic();
      const isOurs = await commits.run((tx) => claimGrant(tx, grant, owner));
      return isOurs ? asked : undefined;
    },
    keep: (run) => runs.add(run),
    forget: (run) => runs.delete(run),
  };
}
