/**
 * What a caller may do to a campaign's state, one compare-and-set each: of two at once one wins, and the other finds another
 * state. True when it is now as asked. The states compared are those of `campaign-state.ts`.
 *
 * Intents share-lock the campaign's row until they are committed: when one of these returns, every later intent sees it
 * (DESIGN 4, "takes effect").
 */
import type { Sql } from '../platform/mysql.ts';
import { type Campaign, type CampaignKey, sendingDomainOf } from './campaign.ts';
import { campaignActions } from './campaign-state.ts';

export interface Schedule {
  /** The present week: its deliveries, of which there are none yet, are kept from now on, however old the draft. */
  readonly part: number;
  /** Null: now, by the database's clock, which the scheduler compares with. */
  readonly sendAt: Date | null;
  readonly templateVersion: number;
  readonly estimatedRecipients: number;
  /** The request's span: the campaign's expansion goes on from it. Undefined without tracing. */
  readonly traceparent?: string | undefined;
}

/** Only what was `seen`, and so checked, is scheduled: an edit in between raises the version. */
export async function scheduleCampaign(sql: Sql, seen: Campaign, schedule: Schedule): Promise<boolean> {
  const { part, sendAt, templateVersion, estimatedRecipients, traceparent = null } = schedule;
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET state = 'scheduled', part = ?, send_at = COALESCE(?, NOW(3)),
       deadline_at = COALESCE(?, NOW(3)) + INTERVAL deliver_within_s SECOND, template_version = ?, estimated_recipients = ?,
       sending_domain = ?, traceparent = ?, ${touched} WHERE ${where} AND version = ? AND state IN (?)`,
    [
      ...[part, sendAt, sendAt, templateVersion, estimatedRecipients, sendingDomainOf(seen.message)],
      traceparent,
      ...[seen.tenantId, seen.id, seen.version, campaignActions.schedule],
    ],
  );
  return affectedRows === 1;
}

/** Loses against the scheduler once the time has come: then it is expanding. */
export async function unscheduleCampaign(sql: Sql, { tenantId, id }: CampaignKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET state = 'draft', send_at = NULL, deadline_at = NULL, estimated_recipients = NULL, ${touched}
     WHERE ${where} AND state IN (?)`,
    [tenantId, id, campaignActions.unschedule],
  );
  return affectedRows === 1;
}

/** Of a paused one nothing changes, not even its version. (Assignments take effect from left to right.) */
export async function pauseCampaign(sql: Sql, { tenantId, id }: CampaignKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET version = version + (paused_at IS NULL), updated_at = IF(paused_at IS NULL, NOW(3), updated_at),
       paused_at = COALESCE(paused_at, NOW(3))
     WHERE ${where} AND state IN (?)`,
    [tenantId, id, campaignActions.pause],
  );
  return affectedRows === 1;
}

export async function resumeCampaign(sql: Sql, { tenantId, id }: CampaignKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET version = version + (paused_at IS NOT NULL), updated_at = IF(paused_at IS NULL, updated_at, NOW(3)),
       paused_at = NULL
     WHERE ${where} AND state IN (?)`,
    [tenantId, id, campaignActions.resume],
  );
  return affectedRows === 1;
}

/**
 * For good: nothing starts any more. What is pending turns `cancelled` by the sweeper, while `settling`. If we die after
 * this statement, the sweeper does its work all the same.
 */
export async function cancelCampaign(sql: Sql, { tenantId, id }: CampaignKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET version = version + (state <> 'cancelled'), updated_at = IF(state = 'cancelled', updated_at, NOW(3)),
       settling = IF(state = 'cancelled', settling, 1), paused_at = NULL, state = 'cancelled'
     WHERE ${where} AND state IN (?)`,
    [tenantId, id, campaignActions.cancel],
  );
  return affectedRows === 1;
}

const where = 'tenant_id = ? AND id = ?';
const touched = 'version = version + 1, updated_at = NOW(3)';
