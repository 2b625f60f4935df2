/** A campaign whose audience can't be expanded to its end. */
import type { Sql } from '../platform/mysql.ts';
import type { CampaignKey } from './campaign-key.ts';

/**
 * For good, like a cancellation: nothing starts any more, what was sent stays sent, and what is pending is settled by the sweeper (`sweep-stopped.ts`).
 * Idempotent; one that was expanded or cancelled meanwhile stays as it is.
 */
export async function failCampaign(sql: Sql, campaign: CampaignKey, failure: string): Promise<void> {
  await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET state = 'failed', failure = ?, settling = 1, paused_at = NULL, updated_at = NOW(3), version = version + 1
     WHERE tenant_id = ? AND id = ? AND state = 'expanding'`,
    [failure, campaign.tenantId, campaign.campaignId],
  );
}
