/** What a dispatch pass writes: S1, and the lanes it puts to sleep or wakes. */
import { chunkValues, chunkWhere, type Grant } from '../ledger/grant.ts';
import { defaultLeaseMs, leaseEnd } from '../ledger/lease.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import type { Candidate } from './demand-store.ts';
import type { Lane } from './dispatch-policy.ts';
import type { PlannedGrant } from './plan-grants.ts';

/** When a chunk is out of the way until something happens to its campaign. */
const parkedUntil = "'9999-12-31'";
const whereLane = 'tenant_id = ? AND destination_id = ? AND class = ?';

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
    for (const { lane, grant } of planned) {
      if (await dispatchOne(tx, grant, leaseMs))
        dispatched.push({ lane, grant: { ...grant, epoch: grant.epoch + 1 } });
    }
    await touchLanes(tx, new Set(planned.map((grant) => grant.lane)));
    return dispatched;
  });
}

/** The lanes that were served go behind the others that are due: a pass reads only so many of a destination. */
async function touchLanes(tx: Sql, served: ReadonlySet<Lane>): Promise<void> {
  const keys = [...served].map((lane) => [lane.tenantId, lane.destinationId, lane.class]);
  if (keys.length === 0) return;
  const these = keys.map(() => `(${whereLane})`).join(' OR ');
  await tx.write(
    `UPDATE lanes SET next_due_at = NOW(3) WHERE next_due_at <= NOW(3) AND (${these})`,
    keys.flat(),
  );
}

async function dispatchOne(tx: Sql, grant: Grant, leaseMs: number): Promise<boolean> {
  const { affectedRows } = await tx.write(
    `UPDATE chunks SET state = ${chunkStates.dispatched}, epoch = epoch + 1, grant_n = ?,
       lease_until = ${leaseEnd(leaseMs)}
     WHERE ${chunkWhere} AND state = ${chunkStates.pending} AND epoch = ?`,
    [grant.n, ...chunkValues(grant), grant.epoch],
  );
  return affectedRows === 1;
}

/** Sets a lane's next due time from its chunks. The lane is locked first, so that an expansion that adds chunks waits or is seen. */
export function rescheduleLane(
  db: Database,
  { tenantId, destinationId, class: deliveryClass }: Lane,
): Promise<void> {
  const lane = [tenantId, destinationId, deliveryClass];
  return db.transaction(async (tx) => {
    await tx.first(`SELECT 1 FROM lanes WHERE ${whereLane} FOR UPDATE`, lane);
    const next = await tx.first<{ due: number | null }>(
      `SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), MIN(due_at)) AS due FROM chunks
       WHERE ${whereLane} AND state = ${chunkStates.pending} AND due_at < ${parkedUntil}`,
      lane,
    );
    const dueIn = next?.due ?? null;
    const due = dueIn === null ? 'NULL' : 'NOW(3) + INTERVAL ? MICROSECOND';
    await tx.write(`UPDATE lanes SET next_due_at = ${due} WHERE ${whereLane}`, [
      ...(dueIn === null ? [] : [dueIn]),
      ...lane,
    ]);
  });
}

const movedAtOnce = 1_000;
const runs = `state IN ('expanding', 'sending') AND paused_at IS NULL AND deadline_at > NOW(3)`;

/** Takes chunks of campaigns that don't run out of their lanes' way; `unparkCampaigns` brings them back. Answers how many. */
export async function parkCampaigns(db: Database, chunks: readonly Candidate[]): Promise<number> {
  const campaigns = new Map(chunks.map((chunk) => [`${chunk.tenantId}-${chunk.campaignId}`, chunk]));
  let parked = 0;
  for (const { tenantId, campaignId } of campaigns.values())
    parked += await parkSome(db, tenantId, campaignId);
  return parked;
}

/**
 * Both parking and unparking lock the campaign first. Otherwise a resume between our reading that it is paused and our write would leave
 * chunks parked of a campaign that nobody unparks again.
 */
function parkSome(db: Database, tenantId: number, campaignId: number): Promise<number> {
  return db.transaction(async (tx) => {
    const stopped = await tx.first(
      `SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? AND NOT (${runs}) FOR UPDATE`,
      [tenantId, campaignId],
    );
    if (!stopped) return 0;
    await tx.write('UPDATE campaigns SET parked = 1 WHERE tenant_id = ? AND id = ?', [tenantId, campaignId]);
    const { affectedRows } = await tx.write(
      `UPDATE chunks FORCE INDEX (by_campaign) SET due_at = ${parkedUntil}
       WHERE tenant_id = ? AND campaign_id = ? AND state = ${chunkStates.pending} AND due_at < ${parkedUntil} LIMIT ${movedAtOnce}`,
      [tenantId, campaignId],
    );
    return affectedRows;
  });
}

/** Brings back what was parked, of campaigns that run (again). Bounded; answers how many chunks. */
export async function unparkCampaigns(db: Database): Promise<number> {
  const campaigns = await db.rows<{ tenant_id: number; id: number }>(
    `SELECT tenant_id, id FROM campaigns WHERE ${runs} AND parked = 1 LIMIT 20`,
  );
  let unparked = 0;
  for (const { tenant_id, id } of campaigns) unparked += await unparkSome(db, tenant_id, id);
  return unparked;
}

function unparkSome(db: Database, tenantId: number, campaignId: number): Promise<number> {
  const key = [tenantId, campaignId];
  return db.transaction(async (tx) => {
    await tx.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? FOR UPDATE', key);
    const { affectedRows } = await tx.write(
      `UPDATE chunks FORCE INDEX (by_campaign) SET due_at = NOW(3)
       WHERE tenant_id = ? AND campaign_id = ? AND state = ${chunkStates.pending} AND due_at = ${parkedUntil}
         AND n_pending + n_deferred > 0 LIMIT ${movedAtOnce}`,
      key,
    );
    await tx.write('UPDATE lanes SET next_due_at = NOW(3) WHERE tenant_id = ?', [tenantId]);
    if (affectedRows < movedAtOnce)
      await tx.write('UPDATE campaigns SET parked = 0 WHERE tenant_id = ? AND id = ?', key);
    return affectedRows;
  });
}

/** All that is dispatched and not claimed goes back at once: their jobs are lost with Redis. Stale ones that turn up later find another epoch. */
export function returnDispatched(db: Database): Promise<number> {
  return db.transaction(async (tx) => {
    const lanes = await tx.rows<{ tenant_id: number; destination_id: number; class: number }>(
      `SELECT DISTINCT tenant_id, destination_id, class FROM chunks WHERE state = ${chunkStates.dispatched}`,
    );
    const { affectedRows } = await tx.write(
      `UPDATE chunks SET state = ${chunkStates.pending}, epoch = epoch + 1, owner = NULL, grant_n = 0,
         lease_until = NULL, due_at = NOW(3)
       WHERE state = ${chunkStates.dispatched}`,
    );
    for (const lane of lanes) {
      await tx.write(`UPDATE lanes SET next_due_at = NOW(3) WHERE ${whereLane}`, [
        lane.tenant_id,
        lane.destination_id,
        lane.class,
      ]);
    }
    return affectedRows;
  });
}
