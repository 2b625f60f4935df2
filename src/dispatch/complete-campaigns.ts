/**
 * Ends campaigns: complete ones, those past their deadline, and those that were cancelled or failed. The dispatcher alone decides
 * that a campaign is done: of two workers ending its two last chunks at once, each would see the other's open.
 */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import { chunkStates } from '../ledger/states.ts';
import { type StoppedCampaign, type SweepOptions, sweepStopped } from '../ledger/sweep-stopped.ts';
import { type PassedOver, workThrough } from '../ledger/work-through.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { batchesOf } from './key-batches.ts';

interface Stopped extends StoppedCampaign {
  readonly state: 'sending' | 'cancelled' | 'failed';
}

/** In one pass, over all campaigns: it bounds how long a pass, and hence a stop, takes. */
const chunksAtOnce = 200;
const campaignsAtOnce = 50;
const keysPerStatement = 100;
/** The first entry of the index tells, because `done` is the last state; an EXISTS over the others walks all that are done. */
const noOpenChunk = `COALESCE((SELECT c.state FROM chunks c FORCE INDEX (by_campaign)
  WHERE c.tenant_id = m.tenant_id AND c.campaign_id = m.id ORDER BY c.state LIMIT 1), ${chunkStates.done}) = ${chunkStates.done}`;

/** Told of chunks and campaigns that could not be dealt with now: the others had their turn. */
export type SweepPassedOver = PassedOver<CampaignKey>;

/** Campaigns that are expanded and have no open chunk are sent. Nothing reopens a chunk, so reading first is safe. */
export async function completeCampaigns(
  db: Database,
  passedOver?: SweepPassedOver,
): Promise<readonly CampaignKey[]> {
  return workThrough(await findDone(db), (campaign) => complete(db, campaign), passedOver);
}

/** Of these. */
export async function completeAmong(
  db: Database,
  campaigns: readonly CampaignKey[],
  passedOver?: SweepPassedOver,
): Promise<readonly CampaignKey[]> {
  const done: CampaignKey[] = [];
  for (const some of batchesOf(campaigns, keysPerStatement)) done.push(...(await findDoneAmong(db, some)));
  return workThrough(done, (campaign) => complete(db, campaign), passedOver);
}

const isDone = `m.state = 'sending' AND m.expansion_done = 1 AND ${noOpenChunk}`;

function findDone(sql: Sql): Promise<readonly CampaignKey[]> {
  return sql.rows(
    `SELECT m.tenant_id AS tenantId, m.id AS campaignId FROM campaigns m WHERE ${isDone} LIMIT 200`,
  );
}

function findDoneAmong(sql: Sql, campaigns: readonly CampaignKey[]): Promise<readonly CampaignKey[]> {
  return sql.rows(
    `SELECT m.tenant_id AS tenantId, m.id AS campaignId FROM campaigns m FORCE INDEX (PRIMARY)
     WHERE ${isDone} AND (${campaigns.map(() => '(m.tenant_id = ? AND m.id = ?)').join(' OR ')})`,
    campaigns.flatMap(({ tenantId, campaignId }) => [tenantId, campaignId]),
  );
}

async function complete(sql: Sql, campaign: CampaignKey): Promise<CampaignKey> {
  await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET state = 'sent', finished_at = NOW(3), updated_at = NOW(3), version = version + 1
     WHERE tenant_id = ? AND id = ? AND state = 'sending'`,
    [campaign.tenantId, campaign.campaignId],
  );
  return campaign;
}

/** Turns what is left of cancelled, failed and overdue campaigns to its end state, some chunks at a time. */
export async function sweepStoppedCampaigns(db: Database, passedOver?: SweepPassedOver): Promise<number> {
  const stopped = [...(await findSettling(db)), ...(await findOverdue(db))];
  const sweep = { limit: Math.ceil(chunksAtOnce / Math.max(stopped.length, 1)), passedOver };
  const swept = await workThrough(stopped, (campaign) => sweepOne(db, campaign, sweep), passedOver);
  return swept.reduce((sum, n) => sum + n, 0);
}

async function sweepOne(db: Database, campaign: Stopped, sweep: SweepOptions): Promise<number> {
  const found = await sweepStopped(db, campaign, sweep);
  if (found === 0 && campaign.state !== 'sending') await endSettling(db, campaign);
  return found;
}

/** What a failed campaign has left has expired where its deadline is over, which may be why it failed. */
function findSettling(sql: Sql): Promise<readonly Stopped[]> {
  return sql.rows(
    `SELECT tenant_id AS tenantId, id AS campaignId, state,
       IF(state = 'failed' AND deadline_at <= NOW(3), 'expired', 'cancelled') AS becomes
     FROM campaigns WHERE settling = 1 AND state IN ('cancelled', 'failed') LIMIT ${campaignsAtOnce}`,
  );
}

/** Those that are expanded: one that isn't fails (`fail-unexpanded.ts`). */
function findOverdue(sql: Sql): Promise<readonly Stopped[]> {
  return sql.rows(
    `SELECT tenant_id AS tenantId, id AS campaignId, state, 'expired' AS becomes FROM campaigns
     WHERE state = 'sending' AND deadline_at <= NOW(3) LIMIT ${campaignsAtOnce}`,
  );
}

async function endSettling(db: Database, { tenantId, campaignId }: CampaignKey): Promise<void> {
  const open = await db.first(
    `SELECT 1 FROM campaigns m WHERE m.tenant_id = ? AND m.id = ? AND NOT (${noOpenChunk})`,
    [tenantId, campaignId],
  );
  if (open) return;
  await db.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET settling = 0, finished_at = NOW(3), updated_at = NOW(3), version = version + 1
     WHERE tenant_id = ? AND id = ? AND settling = 1`,
    [tenantId, campaignId],
  );
}
