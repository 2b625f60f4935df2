/**
 * Settles deliveries that are in doubt by their campaign's policy, once no late outcome can be expected any more.
 *
 * `assume_delivered` counts them as sent (it may lose up to the stated bound); `resend` makes them pending again, to be sent with the same
 * Message-ID (it may double up to it). Outcomes and feedback that come sooner settle them first.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import type { ChunkKey } from './delivery-id.ts';
import { type DueRules, dueInMs } from './due.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import { countDeliveries, lockChunk, moveCounters, requeueChunk } from './recount.ts';
import { chunkStates, deliveryStates } from './states.ts';
import { toChunkKey } from './takeover.ts';

export type InDoubtPolicy = 'assume_delivered' | 'resend';

export interface SettleOptions {
  /** In doubt for at least this long: two lease terms and the longest transport time-out. */
  readonly settleAfterMs: number;
  readonly rules: DueRules;
  /** Most chunks in one call. */
  readonly limit: number;
}

/** Settles what is ripe; answers how many deliveries. */
export async function settleDoubt(db: Database, options: SettleOptions): Promise<number> {
  let settled = 0;
  for (const { key, policy } of await findDoubtful(db, options.limit)) {
    settled += await settleChunk(db, key, policy, options);
  }
  return settled;
}

type DoubtRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  part: number;
  in_doubt_policy: InDoubtPolicy;
};

/** Campaigns with any in doubt are found by their counters; then their chunks by the campaign's key. */
async function findDoubtful(
  sql: Sql,
  limit: number,
): Promise<readonly { key: ChunkKey; policy: InDoubtPolicy }[]> {
  const rows = await sql.rows<DoubtRow>(
    `SELECT c.tenant_id, c.campaign_id, c.chunk_no, c.part, m.in_doubt_policy
     FROM campaigns m
     JOIN (SELECT tenant_id, campaign_id FROM campaign_counters WHERE n_in_doubt > 0 GROUP BY tenant_id, campaign_id) k
       ON k.tenant_id = m.tenant_id AND k.campaign_id = m.id
     JOIN chunks c ON c.tenant_id = m.tenant_id AND c.campaign_id = m.id AND c.state = ${chunkStates.pending} AND c.n_in_doubt > 0
     LIMIT ?`,
    [limit],
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
    const { counts, nextAttemptInMs } = await countDeliveries(tx, key);
    await moveCounters(tx, key, chunk.counts, counts);
    const wait = dueInMs({ counts, nextAttemptInMs, holdMs: 0 }, options.rules);
    if (settled > 0)
      await requeueChunk(tx, key, chunk, {
        counts,
        dueInMs: wait,
        epoch: chunk.epoch,
        crashes: chunk.crashes,
      });
    return settled;
  });
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
      Math.ceil(settleAfterMs / 1000),
    ],
  );
  return affectedRows;
}
