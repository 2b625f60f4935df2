/**
 * Campaigns whose deadline passes while their audience is still being expanded fail, and say so: one was paused meanwhile, or no scheduler ran. They are
 * not expanded any further to expire what is found: it may be fifty million, each a row that nobody gets a message for, and campaigns in time would wait.
 * So not everybody of the audience has a state, and the campaign must not read `sent`.
 */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import { failCampaign } from '../ledger/fail-campaign.ts';
import { allCounts } from '../ledger/recount.ts';
import { oneOfMany, type PassedOver, workThrough } from '../ledger/work-through.ts';
import type { Database, Sql } from '../platform/mysql.ts';

export interface FailedCampaign extends CampaignKey {
  readonly failure: string;
}

const campaignsAtOnce = 50;

/** Answers those that it has failed. If we die in between, the next pass finds the rest. */
export async function failUnexpanded(
  db: Database,
  passedOver?: PassedOver<CampaignKey>,
): Promise<readonly FailedCampaign[]> {
  const overdue = await findUnexpanded(db);
  const failed = await workThrough(overdue, (campaign) => failOne(db, campaign), passedOver);
  return failed.filter((campaign) => campaign !== undefined);
}

const isOverdue = `state = 'expanding' AND deadline_at <= NOW(3)`;

/** Read without a lock, each then taken by its key: by `by_state` it would wait for the intents of every campaign that expands, and lock entries before rows. */
function findUnexpanded(sql: Sql): Promise<readonly CampaignKey[]> {
  return sql.rows(
    `SELECT tenant_id AS tenantId, id AS campaignId FROM campaigns WHERE ${isOverdue} LIMIT ${campaignsAtOnce}`,
  );
}

/** A page moves the campaign's cursor last: under the campaign's lock the counters have all pages that came in, and none comes in after. */
function failOne(db: Database, campaign: CampaignKey): Promise<FailedCampaign | undefined> {
  const key = [campaign.tenantId, campaign.campaignId];
  return db.transaction(async (tx) => {
    const found = await tx.first<{ estimate: number | null }>(
      `SELECT estimated_recipients AS estimate FROM campaigns WHERE tenant_id = ? AND id = ? AND ${isOverdue} FOR UPDATE`,
      key,
    );
    if (!found) return undefined;
    const counted = await tx.first<{ recipients: number | null }>(
      `SELECT SUM(${allCounts}) AS recipients FROM campaign_counters WHERE tenant_id = ? AND campaign_id = ?`,
      key,
    );
    const failure = describeFailure(counted?.recipients ?? 0, found.estimate);
    await failCampaign(tx, campaign, failure);
    return { ...campaign, failure };
  }, oneOfMany);
}

function describeFailure(recipients: number, estimate: number | null): string {
  const share = estimate === null ? `${recipients}` : `${recipients} of about ${estimate}`;
  return `the deadline passed while the audience was being expanded: ${share} recipients were in by then, and the others get no message`;
}
