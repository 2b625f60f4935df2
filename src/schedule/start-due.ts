/** Campaigns whose time has come start expanding. Each is one compare-and-set; two schedulers at once are harmless. */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import { counterSlots } from '../ledger/recount.ts';
import { oneOfMany, type PassedOver } from '../ledger/work-through.ts';
import type { Database, Sql } from '../platform/mysql.ts';

/**
 * Starts at most `limit` due campaigns; answers how many. One that somebody has locked keeps neither the others from starting nor those that
 * have started from being expanded: it is told of, and due again in the next pass.
 */
export async function startDueCampaigns(
  db: Database,
  limit: number,
  passedOver: PassedOver<CampaignKey> = () => {},
): Promise<number> {
  let started = 0;
  for (const campaign of await readDue(db, limit)) {
    try {
      started += await db.transaction((tx) => startCampaign(tx, campaign), oneOfMany);
    } catch (error) {
      passedOver(campaign, error);
    }
  }
  return started;
}

function readDue(sql: Sql, limit: number): Promise<readonly CampaignKey[]> {
  return sql.rows(
    `SELECT tenant_id AS tenantId, id AS campaignId FROM campaigns
     WHERE state = 'scheduled' AND send_at <= NOW(3) AND paused_at IS NULL ORDER BY send_at LIMIT ?`,
    [limit],
  );
}

/** It is due still: since it was found, its owner may have scheduled it anew for later. */
async function startCampaign(tx: Sql, { tenantId, campaignId }: CampaignKey): Promise<number> {
  const { affectedRows } = await tx.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET state = 'expanding', started_at = NOW(3), updated_at = NOW(3), version = version + 1,
       deadline_at = send_at + INTERVAL deliver_within_s SECOND
     WHERE tenant_id = ? AND id = ? AND state = 'scheduled' AND send_at <= NOW(3) AND paused_at IS NULL`,
    [tenantId, campaignId],
  );
  if (affectedRows === 0) return 0;
  const slots = Array.from({ length: counterSlots }, (_, slot) => [tenantId, campaignId, slot]);
  await tx.write('INSERT IGNORE INTO campaign_counters (tenant_id, campaign_id, slot) VALUES ?', [slots]);
  return 1;
}
