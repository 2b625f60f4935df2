/** Chunks that may not go now, out of their lanes' way: until their campaign runs again, or for a time. */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import { campaignRuns } from '../ledger/campaign-runs.ts';
import { chunkValues, chunkWhere } from '../ledger/grant.ts';
import { chunkStates } from '../ledger/states.ts';
import { oneOfMany, type PassedOver, workThrough } from '../ledger/work-through.ts';
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
    await tx.write('UPDATE campaigns FORCE INDEX (PRIMARY) SET parked = 1 WHERE tenant_id = ? AND id = ?', [
      tenantId,
      campaignId,
    ]);
    const { affectedRows } = await tx.write(
      `UPDATE chunks FORCE INDEX (by_campaign) SET due_at = ${parkedUntil}
       WHERE tenant_id = ? AND campaign_id = ? AND state = ${chunkStates.pending} AND due_at < ${parkedUntil} LIMIT ${movedAtOnce}`,
      [tenantId, campaignId],
    );
    return affectedRows;
  });
}

/** Brings back what was parked, of campaigns that run (again). Bounded; answers how many chunks. */
export async function unparkCampaigns(db: Database, passedOver?: PassedOver<CampaignKey>): Promise<number> {
  const campaigns = await db.rows<CampaignKey>(
    `SELECT tenant_id AS tenantId, id AS campaignId FROM campaigns WHERE ${runs} AND parked = 1 LIMIT 20`,
  );
  const unparked = await workThrough(campaigns, (campaign) => unparkSome(db, campaign), passedOver);
  return unparked.reduce((sum, n) => sum + n, 0);
}

function unparkSome(db: Database, { tenantId, campaignId }: CampaignKey): Promise<number> {
  const key = [tenantId, campaignId];
  return db.transaction(async (tx) => {
    await tx.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? FOR UPDATE', key);
    const { affectedRows } = await tx.write(
      `UPDATE chunks FORCE INDEX (by_campaign) SET due_at = NOW(3)
       WHERE tenant_id = ? AND campaign_id = ? AND state = ${chunkStates.pending} AND due_at = ${parkedUntil}
         AND n_pending + n_deferred > 0 LIMIT ${movedAtOnce}`,
      key,
    );
    await tx.write('UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NOW(3) WHERE tenant_id = ?', [
      tenantId,
    ]);
    if (affectedRows < movedAtOnce)
      await tx.write(
        'UPDATE campaigns FORCE INDEX (PRIMARY) SET parked = 0 WHERE tenant_id = ? AND id = ?',
        key,
      );
    return affectedRows;
  }, oneOfMany);
}

const postponedPerStatement = 100;

/**
 * Sets back when each is due, in a few statements. If we die in between, the next pass finds the rest. One that was dispatched meanwhile stays.
 *
 * Behind them the lane may have thousands more of the same campaign: those are set back with the last of them, so that a pass or two clear the way.
 * Not those that may go (`ready`). Answers how many.
 *
 * Locked by their primary keys: a statement that went by an index would lock its entries before the rows, and meet those who lock the row first and
 * change `due_at` then (a recount after a bounce, a settled doubt) in a deadlock. A deadlock is run again all the same: it would cost the whole pass.
 */
export async function postponeChunks(
  db: Database,
  postponed: readonly PostponedChunk[],
  ready: readonly ReadyChunk[],
): Promise<number> {
  let moved = 0;
  for (const some of batchesOf(postponed, postponedPerStatement))
    moved += await db.autocommit((sql) => postponeSome(sql, some));
  for (const last of lastOfEach(postponed)) moved += await postponeRest(db, last, ready);
  return moved;
}

async function postponeSome(sql: Sql, postponed: readonly PostponedChunk[]): Promise<number> {
  const keys = postponed.map(({ chunk }) => chunk);
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET due_at = NOW(3) + INTERVAL CASE ${postponed.map(() => `WHEN ${chunkWhere} THEN ?`).join(' ')} END MICROSECOND
     WHERE state = ${chunkStates.pending} AND (${byKey(keys)})`,
    [
      ...postponed.flatMap(({ chunk, delayMs }) => [...chunkValues(chunk), Math.round(delayMs * 1_000)]),
      ...keys.flatMap(chunkValues),
    ],
  );
  return affectedRows;
}

async function postponeRest(
  db: Database,
  { chunk, delayMs }: PostponedChunk,
  ready: readonly ReadyChunk[],
): Promise<number> {
  const stay = new Set(
    ready.filter((one) => one.chunk.campaignId === chunk.campaignId).map((one) => one.chunk.chunkNo),
  );
  const behind = (await findDue(db, chunk)).filter((chunkNo) => !stay.has(chunkNo));
  if (behind.length === 0) return 0;
  return db.autocommit((sql) => postponeAlike(sql, { chunk, delayMs }, behind));
}

/** By `by_lane`, without a lock: what is due of the lane, its keys in the index. */
async function findDue(sql: Sql, { lane, isRetry, campaignId }: Candidate): Promise<readonly number[]> {
  const rows = await sql.rows<{ chunk_no: number }>(
    `SELECT chunk_no FROM chunks FORCE INDEX (by_lane)
     WHERE ${whereLane} AND state = ${chunkStates.pending} AND is_retry = ? AND due_at <= NOW(3) AND campaign_id = ? LIMIT ${movedAtOnce}`,
    [...laneValues(lane), isRetry, campaignId],
  );
  return rows.map((row) => row.chunk_no);
}

/** Those of its campaign that are still due: one that was dispatched, or set back by others, since it was found stays as it is. */
async function postponeAlike(
  sql: Sql,
  { chunk: { tenantId, campaignId, part, isRetry }, delayMs }: PostponedChunk,
  chunkNos: readonly number[],
): Promise<number> {
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET due_at = NOW(3) + INTERVAL ? MICROSECOND
     WHERE tenant_id = ? AND campaign_id = ? AND chunk_no IN (?) AND part = ?
       AND state = ${chunkStates.pending} AND is_retry = ? AND due_at <= NOW(3)`,
    [Math.round(delayMs * 1_000), tenantId, campaignId, chunkNos, part, isRetry],
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
