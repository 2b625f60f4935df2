/** Campaigns whose time has come start expanding. Each is one compare-and-set; two schedulers at once are harmless. */
import { counterSlots } from '../ledger/recount.ts';
import type { Database, Sql } from '../platform/mysql.ts';

type DueRow = { tenant_id: number; id: number };

/** Starts at most `limit` due campaigns; answers how many. */
export async function startDueCampaigns(db: Database, limit: number): Promise<number> {
  const due = await db.rows<DueRow>(
    `SELECT tenant_id, id FROM campaigns WHERE state = 'scheduled' AND send_at <= NOW(3) AND paused_at IS NULL
     ORDER BY send_at LIMIT ?`,
    [limit],
  );
  let started = 0;
  for (const campaign of due) started += await db.transaction((tx) => startCampaign(tx, campaign));
  return started;
}

async function startCampaign(tx: Sql, { tenant_id, id }: DueRow): Promise<number> {
  const { affectedRows } = await tx.write(
    `UPDATE campaigns SET state = 'expanding', started_at = NOW(3), updated_at = NOW(3), version = version + 1,
       deadline_at = send_at + INTERVAL deliver_within_s SECOND
     WHERE tenant_id = ? AND id = ? AND state = 'scheduled' AND paused_at IS NULL`,
    [tenant_id, id],
  );
  if (affectedRows === 0) return 0;
  const slots = Array.from({ length: counterSlots }, (_, slot) => [tenant_id, id, slot]);
  await tx.write('INSERT IGNORE INTO campaign_counters (tenant_id, campaign_id, slot) VALUES ?', [slots]);
  return 1;
}
