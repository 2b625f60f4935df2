/** Campaigns as rows: writing, reading and editing them. What changes their state is in `transition-store.ts`. */
import { type CampaignId, newId, type TenantId } from '../ids.ts';
import { partOf } from '../ledger/partitions.ts';
import { type DeliveryClass, deliveryClasses, deliveryClassName } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import { type Campaign, type CampaignContent, type CampaignKey, sendingDomainOf } from './campaign.ts';
import { type CampaignState, campaignActions } from './campaign-state.ts';

/** A draft. Its `part` is the week of `nowMs`, until it is scheduled. */
export async function insertCampaign(
  sql: Sql,
  tenantId: TenantId,
  { content, nowMs }: { readonly content: CampaignContent; readonly nowMs: number },
): Promise<CampaignId> {
  const createdAt = new Date(nowMs);
  return insertWithNewId(
    () => newId('campaign', nowMs),
    (id) =>
      sql.write(
        `INSERT INTO campaigns (tenant_id, id, part, state, created_at, updated_at, ${contentColumns.join(', ')})
         VALUES (?, ?, ?, 'draft', ?, ?, ${contentColumns.map(() => '?').join(', ')})`,
        [tenantId, id, partOf(nowMs), createdAt, createdAt, ...contentValues(content)],
      ),
  );
}

export async function findCampaign(sql: Sql, { tenantId, id }: CampaignKey): Promise<Campaign | undefined> {
  const row = await sql.first<Row>(`SELECT ${columns} FROM campaigns WHERE tenant_id = ? AND id = ?`, [
    tenantId,
    id,
  ]);
  return row && toCampaign(row);
}

export interface CampaignQuery {
  readonly tenantId: TenantId;
  readonly state?: CampaignState | undefined;
  /** Ids below this one. */
  readonly before: number;
  readonly limit: number;
}

/** Newest first. */
export async function listCampaigns(
  sql: Sql,
  { tenantId, state, before, limit }: CampaignQuery,
): Promise<Campaign[]> {
  const [filter, values] = state === undefined ? ['', []] : ['AND state = ?', [state]];
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM campaigns WHERE tenant_id = ? AND id < ? ${filter} ORDER BY id DESC LIMIT ?`,
    [tenantId, before, ...values, limit],
  );
  return rows.map(toCampaign);
}

/**
 * Edits the campaign that was `seen`: compares its version and its state, and is false when either has changed. The
 * scheduler raises the version when it starts one, so an edit never reaches a campaign that runs.
 */
export async function updateCampaign(sql: Sql, seen: Campaign, content: CampaignContent): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET ${contentColumns.map((column) => `${column} = ?`).join(', ')},
       deadline_at = send_at + INTERVAL deliver_within_s SECOND, version = version + 1, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ? AND version = ? AND state IN (?)`,
    [...contentValues(content), seen.tenantId, seen.id, seen.version, campaignActions.edit],
  );
  return affectedRows === 1;
}

/** Deletes a draft; false when there is none of that id. A draft has no deliveries and no counters. */
export async function deleteDraft(sql: Sql, { tenantId, id }: CampaignKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    'DELETE FROM campaigns WHERE tenant_id = ? AND id = ? AND state IN (?)',
    [tenantId, id, campaignActions.delete],
  );
  return affectedRows === 1;
}

const contentColumns = [
  'name',
  'audience',
  'message',
  'template_id',
  'template_version',
  'transport_id',
  'class',
  'in_doubt_policy',
  'deliver_within_s',
  'per_minute',
  'sending_domain',
] as const;

function contentValues(content: CampaignContent): readonly unknown[] {
  return [
    content.name,
    JSON.stringify(content.audience),
    JSON.stringify(content.message),
    content.templateId,
    content.templateVersion,
    content.transportId,
    deliveryClasses[content.class],
    content.inDoubtPolicy,
    content.deliverWithinSeconds,
    content.maxPerMinute,
    sendingDomainOf(content.message),
  ];
}

const columns = `tenant_id AS tenantId, id, part, name, class, state, paused_at AS pausedAt, send_at AS sendAt,
  deadline_at AS deadlineAt, transport_id AS transportId, template_id AS templateId, template_version AS templateVersion,
  audience, message, in_doubt_policy AS inDoubtPolicy, deliver_within_s AS deliverWithinSeconds, per_minute AS maxPerMinute,
  expansion_done AS isExpanded, next_chunk_no AS nextChunkNo, estimated_recipients AS estimatedRecipients,
  settling AS isSettling, failure, version, created_at AS createdAt, updated_at AS updatedAt, started_at AS startedAt,
  finished_at AS finishedAt`;

type Row = Omit<Campaign, 'class' | 'audience' | 'message' | 'isExpanded' | 'isSettling'> & {
  readonly class: number;
  readonly audience: string;
  readonly message: string;
  readonly isExpanded: number;
  readonly isSettling: number;
};

function toCampaign(row: Row): Campaign {
  return {
    ...row,
    class: deliveryClassName(row.class) satisfies DeliveryClass,
    audience: JSON.parse(row.audience),
    message: JSON.parse(row.message),
    isExpanded: row.isExpanded === 1,
    isSettling: row.isSettling === 1,
  };
}
