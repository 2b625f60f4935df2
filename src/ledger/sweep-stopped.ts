/**
 * Settles what a cancelled or expired campaign has left: pending and deferred rows turn `cancelled` or `expired`, chunk by chunk, so
 * that cancelling fifty million recipients never locks more than five hundred rows. Chunks on the wire are left to end first.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import type { CampaignKey } from './campaign-key.ts';
import type { ChunkKey } from './delivery-id.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import { countDeliveries, lockChunk, moveCounters, requeueChunk } from './recount.ts';
import { chunkStates, deliveryStates } from './states.ts';
import { toChunkKey } from './takeover.ts';
import { oneOfMany, type PassedOver, workThrough } from './work-through.ts';

export interface StoppedCampaign extends CampaignKey {
  readonly becomes: 'cancelled' | 'expired';
}

export interface SweepOptions {
  /** Most chunks in one call. */
  readonly limit: number;
  readonly passedOver?: PassedOver<ChunkKey> | undefined;
}

/** Settles pending chunks of the campaign; answers how many it has dealt with. */
export async function sweepStopped(
  db: Database,
  campaign: StoppedCampaign,
  { limit, passedOver }: SweepOptions,
): Promise<number> {
  const keys = await findPending(db, campaign, limit);
  const settled = await workThrough(keys, (key) => settleChunk(db, key, campaign.becomes), passedOver);
  return settled.length;
}

type KeyRow = Parameters<typeof toChunkKey>[0];

async function findPending(sql: Sql, campaign: StoppedCampaign, limit: number): Promise<readonly ChunkKey[]> {
  const rows = await sql.rows<KeyRow>(
    `SELECT tenant_id, campaign_id, chunk_no, part FROM chunks FORCE INDEX (by_campaign)
     WHERE tenant_id = ? AND campaign_id = ? AND state = ${chunkStates.pending} AND n_pending + n_deferred > 0 LIMIT ?`,
    [campaign.tenantId, campaign.campaignId, limit],
  );
  return rows.map(toChunkKey);
}

function settleChunk(db: Database, key: ChunkKey, becomes: 'cancelled' | 'expired'): Promise<void> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, key);
    if (chunk?.state !== chunkStates.pending) return;
    await tx.write(
      `UPDATE deliveries SET state = ${deliveryStates[becomes]}, outcome_at = NOW(3)
       WHERE ${chunkWhere} AND state IN (${deliveryStates.pending}, ${deliveryStates.deferred})`,
      chunkValues(key),
    );
    const { counts } = await countDeliveries(tx, key);
    await moveCounters(tx, key, chunk.counts, counts);
    await requeueChunk(tx, key, chunk, { counts, dueInMs: null, epoch: chunk.epoch, crashes: chunk.crashes });
  }, oneOfMany);
}
