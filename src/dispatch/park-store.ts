/** Chunks that may not go now, out of their lanes' way: until their campaign runs again, or for a time. */
import { campaignRuns } from '../ledger/campaign-runs.ts';
import { chunkValues, chunkWhere } from '../ledger/grant.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import type { Candidate } from './candidate-store.ts';
import { batchesOf, byKey } from './key-batches.ts';
import { laneValues, parkedUntil, whereLane } from './lane-store.ts';
import type { PostponedChunk, ReadyChunk } from './sift-candidates.ts';

const movedAtOnce = 1_000;
const runs = campaignRuns();

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

const postponedPerStatement = 100;

/**
 * Sets back when each is due, in a few statements. If we die in between, the next pass finds the rest. One that was dispatched meanwhile stays.
 *
 * Behind them the lane may have thousands more of the same campaign: those are set back with the last of them, so that a pass or two clear the way.
 * Not those that may go (`ready`). Answers how many.
 */
export async function postponeChunks(
  sql: Sql,
  postponed: readonly PostponedChunk[],
  ready: readonly ReadyChunk[],
): Promise<number> {
  let moved = 0;
  for (const some of batchesOf(postponed, postponedPerStatement)) moved += await postponeSome(sql, some);
  for (const last of lastOfEach(postponed)) moved += await postponeRest(sql, last, ready);
  return moved;
}

async function postponeSome(sql: Sql, postponed: readonly PostponedChunk[]): Promise<number> {
  const keys = postponed.map(({ chunk }) => chunk);
  const { affectedRows } = await sql.write(
    `UPDATE chunks SET due_at = NOW(3) + INTERVAL CASE ${postponed.map(() => `WHEN ${chunkWhere} THEN ?`).join(' ')} END MICROSECOND
     WHERE state = ${chunkStates.pending} AND (${byKey(keys)})`,
    [
      ...postponed.flatMap(({ chunk, delayMs }) => [...chunkValues(chunk), Math.round(delayMs * 1_000)]),
      ...keys.flatMap(chunkValues),
    ],
  );
  return affectedRows;
}

/** By `by_lane`: what is due of the lane, its keys in the index. */
async function postponeRest(
  sql: Sql,
  { chunk, delayMs }: PostponedChunk,
  ready: readonly ReadyChunk[],
): Promise<number> {
  const stay = ready
    .filter((one) => one.chunk.campaignId === chunk.campaignId)
    .map((one) => one.chunk.chunkNo);
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (by_lane) SET due_at = NOW(3) + INTERVAL ? MICROSECOND
     WHERE ${whereLane} AND state = ${chunkStates.pending} AND is_retry = ? AND due_at <= NOW(3) AND campaign_id = ?
       ${stay.length > 0 ? 'AND chunk_no NOT IN (?)' : ''} LIMIT ${movedAtOnce}`,
    [
      ...[Math.round(delayMs * 1_000), ...laneValues(chunk.lane), chunk.isRetry, chunk.campaignId],
      ...(stay.length > 0 ? [stay] : []),
    ],
  );
  return affectedRows;
}

/** Of each campaign on each lane the one that is set back furthest. */
function lastOfEach(postponed: readonly PostponedChunk[]): readonly PostponedChunk[] {
  const last = new Map<string, PostponedChunk>();
  for (const one of postponed) {
    const { lane, campaignId, isRetry } = one.chunk;
    const key = `${campaignId}-${lane.destinationId}-${isRetry}`;
    if (one.delayMs > (last.get(key)?.delayMs ?? 0)) last.set(key, one);
  }
  return [...last.values()];
}
