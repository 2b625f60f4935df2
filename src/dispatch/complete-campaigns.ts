/**
 * Ends campaigns: complete ones, those past their deadline, and those that were cancelled or failed. The dispatcher alone decides
 * that a campaign is done: of two workers ending its two last chunks at once, each would see the other's open.
 */
import { chunkStates } from '../ledger/states.ts';
import { sweepStopped } from '../ledger/sweep-stopped.ts';
import type { Database, Sql } from '../platform/mysql.ts';

type CampaignRow = { tenant_id: number; id: number };

/** In one pass, over all campaigns: it bounds how long a pass, and hence a stop, takes. */
const chunksAtOnce = 200;
const campaignsAtOnce = 50;
/** The first entry of the index tells, because `done` is the last state; an EXISTS over the others walks all that are done. */
const noOpenChunk = `COALESCE((SELECT c.state FROM chunks c FORCE INDEX (by_campaign)
  WHERE c.tenant_id = m.tenant_id AND c.campaign_id = m.id ORDER BY c.state LIMIT 1), ${chunkStates.done}) = ${chunkStates.done}`;

/** Campaigns that are expanded and have no open chunk are sent. Nothing reopens a chunk, so reading first is safe. */
export async function completeCampaigns(db: Database): Promise<readonly CampaignRow[]> {
  const done = await db.rows<CampaignRow>(
    `SELECT m.tenant_id, m.id FROM campaigns m WHERE m.state = 'sending' AND m.expansion_done = 1 AND ${noOpenChunk} LIMIT 200`,
  );
  for (const { tenant_id, id } of done) {
    await db.write(
      `UPDATE campaigns SET state = 'sent', finished_at = NOW(3), updated_at = NOW(3), version = version + 1
       WHERE tenant_id = ? AND id = ? AND state = 'sending'`,
      [tenant_id, id],
    );
  }
  return done;
}

/** Turns what is left of cancelled, failed and overdue campaigns to its end state, some chunks at a time. */
export async function sweepStoppedCampaigns(db: Database): Promise<number> {
  const settling = await findSettling(db);
  const overdue = await findOverdue(db);
  const limit = Math.ceil(chunksAtOnce / Math.max(settling.length + overdue.length, 1));
  let swept = 0;
  for (const { tenant_id, id } of settling) {
    const found = await sweepStopped(
      db,
      { tenantId: tenant_id, campaignId: id, becomes: 'cancelled' },
      limit,
    );
    swept += found;
    if (found === 0) await endSettling(db, tenant_id, id);
  }
  for (const { tenant_id, id } of overdue) {
    swept += await sweepStopped(db, { tenantId: tenant_id, campaignId: id, becomes: 'expired' }, limit);
  }
  return swept;
}

function findSettling(sql: Sql): Promise<readonly CampaignRow[]> {
  return sql.rows(
    `SELECT tenant_id, id FROM campaigns WHERE settling = 1 AND state IN ('cancelled', 'failed') LIMIT ${campaignsAtOnce}`,
  );
}

/** Overdue campaigns stop expanding first: who was not reached in time is not expanded to be expired. */
async function findOverdue(db: Database): Promise<readonly CampaignRow[]> {
  for (const campaign of await findExpandingOverdue(db)) await endExpansion(db, campaign);
  return db.rows(
    `SELECT tenant_id, id FROM campaigns WHERE state = 'sending' AND deadline_at <= NOW(3) LIMIT ${campaignsAtOnce}`,
  );
}

/** Read without a lock: an update by `by_state` would wait for the intents of every campaign that expands, and lock its entries before the rows. */
function findExpandingOverdue(sql: Sql): Promise<readonly CampaignRow[]> {
  return sql.rows(
    `SELECT tenant_id, id FROM campaigns WHERE state = 'expanding' AND deadline_at <= NOW(3) LIMIT ${campaignsAtOnce}`,
  );
}

async function endExpansion(sql: Sql, { tenant_id, id }: CampaignRow): Promise<void> {
  await sql.write(
    `UPDATE campaigns SET state = 'sending', expansion_done = 1, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ? AND state = 'expanding' AND deadline_at <= NOW(3)`,
    [tenant_id, id],
  );
}

async function endSettling(db: Database, tenantId: number, campaignId: number): Promise<void> {
  const open = await db.first(
    `SELECT 1 FROM campaigns m WHERE m.tenant_id = ? AND m.id = ? AND NOT (${noOpenChunk})`,
    [tenantId, campaignId],
  );
  if (open) return;
  await db.write(
    `UPDATE campaigns SET settling = 0, finished_at = NOW(3), updated_at = NOW(3), version = version + 1
     WHERE tenant_id = ? AND id = ? AND settling = 1`,
    [tenantId, campaignId],
  );
}
