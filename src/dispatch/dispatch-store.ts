/** S1: what a dispatch pass gives away, and what comes back when the belt was lost. */
import { chunkValues, chunkWhere, type Grant } from '../ledger/grant.ts';
import { defaultLeaseMs, leaseEnd } from '../ledger/lease.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { batchesOf, byKey } from './key-batches.ts';
import { touchLanes, whereLane } from './lane-store.ts';
import type { PlannedGrant } from './plan-grants.ts';

const grantsPerStatement = 100;

/**
 * S1: raises each chunk's epoch and marks it dispatched, while we lead. Answers those that were still pending, at their new epoch.
 * If we die after the commit and before their jobs are queued, nobody claims them, and they are taken over after one lease.
 */
export function dispatchGrants(
  db: Database,
  leadership: Leadership,
  planned: readonly PlannedGrant[],
  leaseMs = defaultLeaseMs,
): Promise<readonly PlannedGrant[]> {
  return db.transaction(async (tx) => {
    await leadership.assertLeading(tx);
    const dispatched: PlannedGrant[] = [];
    for (const some of batchesOf(planned, grantsPerStatement)) {
      const current = await lockCurrent(tx, some);
      if (current.length > 0) await markDispatched(tx, current, leaseMs);
      dispatched.push(...current);
    }
    await touchLanes(
      tx,
      planned.map((grant) => grant.lane),
    );
    return dispatched.map(({ lane, grant }) => ({ lane, grant: { ...grant, epoch: grant.epoch + 1 } }));
  });
}

type CurrentRow = { tenant_id: number; campaign_id: number; chunk_no: number; epoch: number };

/** Those that are pending at the epoch they were planned at. Locked by their keys: nobody changes them before we have. */
async function lockCurrent(tx: Sql, planned: readonly PlannedGrant[]): Promise<readonly PlannedGrant[]> {
  const grants = planned.map(({ grant }) => grant);
  const rows = await tx.rows<CurrentRow>(
    `SELECT tenant_id, campaign_id, chunk_no, epoch FROM chunks FORCE INDEX (PRIMARY)
     WHERE state = ${chunkStates.pending} AND (${byKey(grants)}) FOR UPDATE`,
    grants.flatMap(chunkValues),
  );
  const current = new Set(rows.map((row) => nameOf(row.tenant_id, row.campaign_id, row.chunk_no, row.epoch)));
  return planned.filter(({ grant: { tenantId, campaignId, chunkNo, epoch } }) =>
    current.delete(nameOf(tenantId, campaignId, chunkNo, epoch)),
  );
}

function nameOf(...numbers: readonly number[]): string {
  return numbers.join('-');
}

async function markDispatched(tx: Sql, current: readonly PlannedGrant[], leaseMs: number): Promise<void> {
  const grants: readonly Grant[] = current.map(({ grant }) => grant);
  await tx.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET state = ${chunkStates.dispatched}, epoch = epoch + 1, lease_until = ${leaseEnd(leaseMs)},
       grant_n = CASE ${grants.map(() => `WHEN ${chunkWhere} THEN ?`).join(' ')} END
     WHERE ${byKey(grants)}`,
    [...grants.flatMap((grant) => [...chunkValues(grant), grant.n]), ...grants.flatMap(chunkValues)],
  );
}

/** All that is dispatched and not claimed goes back at once: their jobs are lost with Redis. Stale ones that turn up later find another epoch. */
export function returnDispatched(db: Database): Promise<number> {
  return db.transaction(async (tx) => {
    const lanes = await tx.rows<{ tenant_id: number; destination_id: number; class: number }>(
      `SELECT DISTINCT tenant_id, destination_id, class FROM chunks WHERE state = ${chunkStates.dispatched}`,
    );
    const { affectedRows } = await tx.write(
      `UPDATE chunks FORCE INDEX (by_lease) SET state = ${chunkStates.pending}, epoch = epoch + 1, owner = NULL, grant_n = 0,
         lease_until = NULL, due_at = NOW(3)
       WHERE state = ${chunkStates.dispatched}`,
    );
    for (const lane of lanes) {
      await tx.write(`UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NOW(3) WHERE ${whereLane}`, [
        lane.tenant_id,
        lane.destination_id,
        lane.class,
      ]);
    }
    return affectedRows;
  });
}
