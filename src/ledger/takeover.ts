/**
 * S6, takeover: a chunk whose lease is over goes back to pending at a higher epoch. What its worker was attempting is in doubt:
 * it may have been on the wire. Everything else is pending again.
 *
 * The epoch is the fence: from here on no claim, intent or renewal of the old worker's succeeds. Its late outcomes still do (S4), because
 * the rows keep the epoch they were attempted at.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import { countAttempts, type IsCounted } from './day-attempts.ts';
import type { ChunkKey } from './delivery-id.ts';
import { type DueRules, dueInMs } from './due.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import { afterCrash, staggerMs } from './poison.ts';
import { countDeliveries, lockChunk, moveCounters, requeueChunk } from './recount.ts';
import { chunkStates, deliveryStates } from './states.ts';
import { oneOfMany, type PassedOver, workThrough } from './work-through.ts';

export interface TakenOver extends ChunkKey {
  readonly inDoubt: number;
  /** It had been claimed: a worker died or lost its lease, not just a job. */
  readonly wasLeased: boolean;
}

export interface TakeoverOptions {
  readonly limit: number;
  /** Default: none is. */
  readonly isCounted?: IsCounted | undefined;
  readonly passedOver?: PassedOver<ChunkKey>;
}

/** Takes over at most `limit` chunks whose lease is over. */
export async function takeOverExpired(
  db: Database,
  rules: DueRules,
  { limit, isCounted, passedOver }: TakeoverOptions,
): Promise<readonly TakenOver[]> {
  const keys = await findExpired(db, limit);
  const taken = await workThrough(keys, (key) => takeOver(db, key, rules, isCounted), passedOver);
  return taken.filter((one) => one !== undefined);
}

type KeyRow = { tenant_id: number; campaign_id: number; chunk_no: number; part: number };

async function findExpired(sql: Sql, limit: number): Promise<readonly ChunkKey[]> {
  const rows = await sql.rows<KeyRow>(
    `SELECT tenant_id, campaign_id, chunk_no, part FROM chunks
     WHERE state IN (${chunkStates.dispatched}, ${chunkStates.leased}) AND lease_until < NOW(3) LIMIT ?`,
    [limit],
  );
  return rows.map(toChunkKey);
}

export function toChunkKey(row: KeyRow): ChunkKey {
  return {
    tenantId: row.tenant_id as ChunkKey['tenantId'],
    campaignId: row.campaign_id as ChunkKey['campaignId'],
    chunkNo: row.chunk_no,
    part: row.part,
  };
}

function takeOver(
  db: Database,
  key: ChunkKey,
  rules: DueRules,
  isCounted?: IsCounted,
): Promise<TakenOver | undefined> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, key);
    if (!chunk || !(await isStillExpired(tx, key))) return undefined;
    const inDoubt = await doubtAttempts(tx, key, 'the worker was lost mid-send');
    const { counts, nextAttemptInMs } = await countDeliveries(tx, key);
    await moveCounters(tx, key, chunk.counts, counts);
    const wasLeased = chunk.state === chunkStates.leased;
    // A renderer's name is on it: that one died in the midst. Without a name the job was lost or is late. A send worker that was lost counts nothing,
    // whatever it got to: what it was attempting is in doubt and out of the way, and before that it had no message to blame (ADR 8).
    const wasFatal = chunk.state === chunkStates.dispatched && chunk.owner !== null;
    const crashes = wasFatal ? afterCrash(chunk.crashes) : chunk.crashes;
    const holdMs = wasFatal ? staggerMs(crashes, Math.random()) : 0;
    await requeueChunk(tx, key, chunk, {
      counts,
      dueInMs: dueInMs({ counts, nextAttemptInMs, holdMs, chunkNo: key.chunkNo }, rules),
      epoch: chunk.epoch + 1,
      crashes,
    });
    if (isCounted?.(chunk.destinationId))
      await countAttempts(tx, { ...key, epoch: chunk.epoch }, chunk.destinationId);
    return { ...key, inDoubt, wasLeased };
  }, oneOfMany);
}

async function isStillExpired(tx: Sql, key: ChunkKey): Promise<boolean> {
  const row = await tx.first(
    `SELECT 1 FROM chunks WHERE ${chunkWhere} AND state IN (${chunkStates.dispatched}, ${chunkStates.leased}) AND lease_until < NOW(3)`,
    chunkValues(key),
  );
  return row !== undefined;
}

/** What is still being attempted is in doubt: it may have left. For a caller that holds the chunk's lock. */
export async function doubtAttempts(tx: Sql, key: ChunkKey, reason: string): Promise<number> {
  const { affectedRows } = await tx.write(
    `UPDATE deliveries SET state = ${deliveryStates.in_doubt}, outcome_at = NOW(3), reason = ?
     WHERE ${chunkWhere} AND state = ${deliveryStates.attempting}`,
    [reason, ...chunkValues(key)],
  );
  return affectedRows;
}
