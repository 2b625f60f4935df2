/**
 * Backlogs of any size, as their expansion would have left them: rows made by the server from a few people of each tenant, some 100,000 a second.
 */
import { type CampaignId, newId, type TenantId } from '../../ids.ts';
import { counterSlots } from '../../ledger/recount.ts';
import { chunkStates, deliveryStates } from '../../ledger/states.ts';
import { largestChunk } from '../../schedule/plan-chunks.ts';
import { type Destination, type Tables, thisPart } from './tenants.ts';

export interface Backlog {
  readonly tenantId: TenantId;
  readonly destination: Destination;
  readonly messages: number;
  /** 2, of campaigns, unless it says otherwise: see `deliveryClasses`. */
  readonly class?: number;
  /** They were tried once and put off; their chunks are due in so many ms. Default: fresh, and due now. */
  readonly deferredForMs?: number;
}

export interface BulkCampaign {
  readonly tenantId: TenantId;
  readonly campaignId: CampaignId;
}

const campaignsAtOnce = 200;
/** About 100,000 rows in a statement: well within its time. */
const chunksAtOnce = 200;

/** A campaign of its own for each, after its chunks: one without any is over. Lanes wake last. */
export async function createBacklogs(
  tables: Tables,
  backlogs: readonly Backlog[],
): Promise<readonly BulkCampaign[]> {
  const campaigns: BulkCampaign[] = [];
  for (let at = 0; at < backlogs.length; at += campaignsAtOnce) {
    const first = newId('campaign');
    const some = backlogs.slice(at, at + campaignsAtOnce).map((backlog, i) => ({
      ...backlog,
      campaignId: (first + i) as CampaignId,
    }));
    await insertChunks(tables, some);
    await insertCampaigns(tables, some);
    campaigns.push(...some.map(({ tenantId, campaignId }) => ({ tenantId, campaignId })));
  }
  await wakeLanes(tables, backlogs);
  return campaigns;
}

type Numbered = Backlog & { readonly campaignId: CampaignId };

async function insertCampaigns({ db }: Tables, backlogs: readonly Numbered[]): Promise<void> {
  const row = `(?, ?, ?, 'Bulk', ?, 'sending', NOW(3), NOW(3) + INTERVAL 1 DAY, ?, 1, 1, '{"includedLists":[1],"excludedLists":[]}',
    '{"fromEmail":"shop@example.com","fromName":"Shop"}', 'assume_delivered', 86400, 1, NOW(3), NOW(3), NOW(3), 'example.com')`;
  await db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, deadline_at, transport_id, template_id, template_version,
       audience, message, in_doubt_policy, deliver_within_s, expansion_done, created_at, updated_at, started_at, sending_domain)
     VALUES ${backlogs.map(() => row).join(', ')}`,
    backlogs.flatMap(({ tenantId, campaignId, destination, class: deliveryClass = 2 }) => [
      tenantId,
      campaignId,
      thisPart(),
      deliveryClass,
      destination.transportId,
    ]),
  );
  await db.write(
    'INSERT INTO campaign_counters (tenant_id, campaign_id, slot, n_pending, n_deferred) VALUES ?',
    [backlogs.flatMap(countersOf)],
  );
}

function countersOf({ tenantId, campaignId, messages, deferredForMs }: Numbered): unknown[][] {
  return Array.from({ length: counterSlots }, (_, slot) => {
    const sizes = sizesOf(messages).filter((_, chunkNo) => chunkNo % counterSlots === slot);
    const n = sizes.reduce((sum, size) => sum + size, 0);
    return [tenantId, campaignId, slot, ...(deferredForMs === undefined ? [n, 0] : [0, n])];
  });
}

function sizesOf(messages: number): readonly number[] {
  const chunks = Math.ceil(messages / largestChunk);
  return Array.from({ length: chunks }, (_, i) => Math.min(largestChunk, messages - i * largestChunk));
}

interface Chunk extends Numbered {
  readonly chunkNo: number;
  readonly size: number;
}

async function insertChunks(tables: Tables, backlogs: readonly Numbered[]): Promise<void> {
  const chunks = backlogs.flatMap((backlog) =>
    sizesOf(backlog.messages).map((size, chunkNo) => ({ ...backlog, chunkNo, size })),
  );
  for (let at = 0; at < chunks.length; at += chunksAtOnce)
    await insertSome(tables, chunks.slice(at, at + chunksAtOnce));
}

function insertSome({ db }: Tables, chunks: readonly Chunk[]): Promise<void> {
  return db.transaction(async (tx) => {
    const row = `(?, ?, ?, ?, ?, ?, ${chunkStates.pending}, NOW(3) + INTERVAL ? MICROSECOND, ?, ?, ?, ?)`;
    await tx.write(
      `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, state, due_at, size, n_pending, n_deferred, is_retry)
       VALUES ${chunks.map(() => row).join(', ')}`,
      chunks.flatMap(chunkRow),
    );
    const keys = chunks.map(({ tenantId, campaignId, chunkNo }) => [tenantId, campaignId, chunkNo]);
    await tx.write(
      `INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash, state, attempts, next_attempt_at, reply_code)
       SELECT c.tenant_id, c.campaign_id, c.chunk_no, n.n, c.part, p.profile_id, p.address_hash,
         IF(c.is_retry, ${deliveryStates.deferred}, ${deliveryStates.pending}), c.is_retry, IF(c.is_retry, NOW(3), NULL), IF(c.is_retry, 451, NULL)
       FROM chunks c
       JOIN fairness_numbers n ON n.n < c.size
       JOIN (SELECT tenant_id, destination_id, COUNT(*) AS people FROM fairness_people GROUP BY tenant_id, destination_id) t
         ON t.tenant_id = c.tenant_id AND t.destination_id = c.destination_id
       JOIN fairness_people p ON p.tenant_id = c.tenant_id AND p.destination_id = c.destination_id AND p.slot = MOD(n.n, t.people)
       WHERE (c.tenant_id, c.campaign_id, c.chunk_no) IN (?) AND c.part = ?`,
      [keys, thisPart()],
    );
  });
}

function chunkRow(chunk: Chunk): readonly unknown[] {
  const { tenantId, campaignId, chunkNo, destination, size, deferredForMs } = chunk;
  const isRetry = deferredForMs !== undefined;
  return [
    tenantId,
    campaignId,
    chunkNo,
    thisPart(),
    destination.id,
    chunk.class ?? 2,
    Math.round((deferredForMs ?? 0) * 1_000),
    size,
    isRetry ? 0 : size,
    isRetry ? size : 0,
    isRetry,
  ];
}

async function wakeLanes({ db }: Tables, backlogs: readonly Backlog[]): Promise<void> {
  const lanes = new Map(
    backlogs.map((backlog) => [
      `${backlog.tenantId}-${backlog.destination.id}-${backlog.class ?? 2}`,
      [
        backlog.tenantId,
        backlog.destination.id,
        backlog.class ?? 2,
        Math.round((backlog.deferredForMs ?? 0) * 1_000),
      ],
    ]),
  );
  const row = '(?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND)';
  await db.write(
    `INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES ${[...lanes].map(() => row).join(', ')}
     ON DUPLICATE KEY UPDATE next_due_at = LEAST(COALESCE(next_due_at, VALUES(next_due_at)), VALUES(next_due_at))`,
    [...lanes.values()].flat(),
  );
}
