/**
 * Settles deliveries that are in doubt by their campaign's policy, once no late outcome can be expected any more.
 *
 * `assume_delivered` counts them as sent (it may lose up to the stated bound); `resend` makes them pending again, to be sent with the same
 * Message-ID (it may double up to it). Outcomes and feedback that come sooner settle them first.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import type { ChunkKey } from './delivery-id.ts';
import type { DueRules } from './due.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import { recountLocked } from './late-truth.ts';
import { lockChunk } from './recount.ts';
import { chunkStates, deliveryStates } from './states.ts';
import { toChunkKey } from './takeover.ts';
import { oneOfMany, type PassedOver, workThrough } from './work-through.ts';

export type InDoubtPolicy = 'assume_delivered' | 'resend';

export interface SettleOptions {
  /** In doubt for at least this long: two lease terms and the longest transport time-out. */
  readonly settleAfterMs: number;
  readonly rules: DueRules;
  /** Most chunks in one call. */
  readonly limit: number;
  readonly passedOver?: PassedOver<ChunkKey>;
}

/** Settles what is ripe; answers how many deliveries. */
export async function settleDoubt(db: Database, options: SettleOptions): Promise<number> {
  const ripe = await findRipe(db, options);
  const settled = await workThrough(
    ripe,
    ({ key, policy }) => settleChunk(db, key, policy, options),
    ({ key }, error) => options.passedOver?.(key, error),
  );
  return settled.reduce((sum, n) => sum + n, 0);
}

type DoubtRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  part: number;
  in_doubt_policy: InDoubtPolicy;
};

const doubts = `deliveries d WHERE d.tenant_id = c.tenant_id AND d.campaign_id = c.campaign_id
  AND d.chunk_no = c.chunk_no AND d.part = c.part AND d.state = ${deliveryStates.in_doubt}`;

const hasDoubts =
  'EXISTS (SELECT 1 FROM campaign_counters k WHERE k.tenant_id = a.tenant_id AND k.campaign_id = a.id AND k.n_in_doubt > 0)';

/**
 * From the campaigns that are not over (by state, or still settling) to those whose counters show a doubt (by key), to their chunks
 * (by campaign), to those of which a row is ripe (by key, nothing locked): what is not ripe yet is read and not written.
 *
 * Also chunks that show a doubt and have none: a late outcome settled the last, and its worker died before it counted the chunk. Nobody else
 * would ever look at them: their rows are settled, or pending again and never due.
 */
async function findRipe(
  sql: Sql,
  { settleAfterMs, limit }: SettleOptions,
): Promise<readonly { key: ChunkKey; policy: InDoubtPolicy }[]> {
  const rows = await sql.rows<DoubtRow>(
    `SELECT c.tenant_id, c.campaign_id, c.chunk_no, c.part, m.in_doubt_policy
     FROM (SELECT tenant_id, id, in_doubt_policy FROM campaigns a WHERE state IN ('expanding', 'sending') AND ${hasDoubts}
       UNION ALL SELECT tenant_id, id, in_doubt_policy FROM campaigns a WHERE settling = 1 AND ${hasDoubts}) m
     JOIN chunks c FORCE INDEX (by_campaign)
       ON c.tenant_id = m.tenant_id AND c.campaign_id = m.id AND c.state = ${chunkStates.pending} AND c.n_in_doubt > 0
     WHERE (EXISTS (SELECT 1 FROM ${doubts} AND d.outcome_at < NOW(3) - INTERVAL ? SECOND) OR NOT EXISTS (SELECT 1 FROM ${doubts}))
     LIMIT ?`,
    [secondsOf(settleAfterMs), limit],
  );
  return rows.map((row) => ({ key: toChunkKey(row), policy: row.in_doubt_policy }));
}

function settleChunk(
  db: Database,
  key: ChunkKey,
  policy: InDoubtPolicy,
  options: SettleOptions,
): Promise<number> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, key);
    // A chunk that works again is settled when that grant has ended.
    if (chunk?.state !== chunkStates.pending) return 0;
    const settled = await applyPolicy(tx, key, policy, options.settleAfterMs);
    // Whoever moves the counters must also write the chunk's counts, or the next one moves them again.
    await recountLocked(tx, key, chunk, options.rules);
    return settled;
  }, oneOfMany);
}

async function applyPolicy(
  tx: Sql,
  key: ChunkKey,
  policy: InDoubtPolicy,
  settleAfterMs: number,
): Promise<number> {
  const { affectedRows } = await tx.write(
    `UPDATE deliveries SET state = ?, settled_by = ?
     WHERE ${chunkWhere} AND state = ${deliveryStates.in_doubt} AND outcome_at < NOW(3) - INTERVAL ? SECOND`,
    [
      policy === 'resend' ? deliveryStates.pending : deliveryStates.sent,
      policy,
      ...chunkValues(key),
      secondsOf(settleAfterMs),
    ],
  );
  return affectedRows;
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000);
}
