/** Campaigns that are stopped and go on, as their owner would have them. */
import { chunkStates } from '../../ledger/states.ts';
import type { Bench } from './bench.ts';
import type { BulkCampaign } from './bulk-ledger.ts';

const drainTimeoutMs = 30_000;

/** Resolves when nothing of it is under way any more. */
export async function pauseCampaign(bench: Bench, { tenantId, campaignId }: BulkCampaign): Promise<void> {
  const { db } = bench.tables;
  await db.write('UPDATE campaigns SET paused_at = NOW(3) WHERE tenant_id = ? AND id = ?', [
    tenantId,
    campaignId,
  ]);
  const isDrained = async () => (await countUnderWay(bench, tenantId)) === 0;
  await bench.waitUntil('a paused campaign to drain', isDrained, drainTimeoutMs);
}

export async function resumeCampaign(
  { tables }: Bench,
  { tenantId, campaignId }: BulkCampaign,
): Promise<void> {
  await tables.db.write('UPDATE campaigns SET paused_at = NULL WHERE tenant_id = ? AND id = ?', [
    tenantId,
    campaignId,
  ]);
}

/** Chunks of a tenant that are dispatched or leased. */
async function countUnderWay({ tables }: Bench, tenantId: number): Promise<number> {
  const row = await tables.db.first<{ n: number }>(
    `SELECT COUNT(*) AS n FROM chunks WHERE tenant_id = ? AND state IN (${chunkStates.dispatched}, ${chunkStates.leased})`,
    [tenantId],
  );
  return row?.n ?? 0;
}
