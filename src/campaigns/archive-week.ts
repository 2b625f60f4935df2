/**
 * The deliveries of one week's campaigns as gzipped NDJSON, one line each, for whoever wants them longer than RETENTION_WEEKS. Read page by
 * page and written as fast as the disk takes them: memory does not grow with the week. Addresses are left out: the ledger doesn't hold them either. Bounces
 * that come after it was written are not in it.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { formatId } from '../ids.ts';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import type { Sql } from '../platform/mysql.ts';
import type { CampaignKey } from './campaign.ts';
import { findCampaign } from './campaign-store.ts';
import { type Delivery, type DeliveryPosition, listDeliveries } from './delivery-store.ts';

const deliveriesAtOnce = 5_000;
const campaignsAtOnce = 500;

/** Weeks before `part` that have deliveries, oldest first; those with a campaign that is not over may still change. */
export async function listArchivableParts(sql: Sql, before: number): Promise<readonly number[]> {
  const rows = await sql.rows<{ part: number }>(
    `SELECT part FROM campaigns WHERE part < ? GROUP BY part
     HAVING SUM(next_chunk_no) > 0 AND SUM(state IN ('scheduled', 'expanding', 'sending') OR settling = 1) = 0 ORDER BY part`,
    [before],
  );
  return rows.map(({ part }) => part);
}

/** Writes the file whole or not at all; answers how many deliveries. */
export async function archiveWeek(sql: Sql, part: number, path: string): Promise<number> {
  let written = 0;
  const unfinished = `${path}.part`;
  async function* countLines() {
    for await (const lines of readLines(sql, part)) {
      written += lines.length;
      yield lines.join('');
    }
  }
  await pipeline(Readable.from(countLines()), createGzip(), createWriteStream(unfinished));
  // A week that was dropped has its campaigns still: no file, rather than an empty one.
  await (written > 0 ? rename(unfinished, path) : rm(unfinished));
  return written;
}

async function* readLines(sql: Sql, part: number): AsyncGenerator<readonly string[]> {
  for await (const key of readCampaigns(sql, part)) {
    const campaign = await findCampaign(sql, key);
    let after: DeliveryPosition | undefined = { chunkNo: 0, seq: -1 };
    while (campaign && after) {
      const page = await listDeliveries(sql, campaign, { after, limit: deliveriesAtOnce });
      if (page.deliveries.length > 0) yield page.deliveries.map(toLine);
      after = page.next;
    }
  }
}

async function* readCampaigns(sql: Sql, part: number): AsyncGenerator<CampaignKey> {
  let last = { tenantId: 0, id: 0 };
  for (;;) {
    const page: CampaignKey[] = await sql.rows<CampaignKey>(
      `SELECT tenant_id AS tenantId, id FROM campaigns WHERE part = ? AND (tenant_id > ? OR (tenant_id = ? AND id > ?))
       ORDER BY tenant_id, id LIMIT ?`,
      [part, last.tenantId, last.tenantId, last.id, campaignsAtOnce],
    );
    yield* page;
    const end = page.at(-1);
    if (!end) return;
    last = end;
  }
}

function toLine({ key, profileId, email: _, ...rest }: Delivery): string {
  const ids = {
    id: formatDeliveryId(key),
    tenant_id: formatId('tenant', key.tenantId),
    campaign_id: formatId('campaign', key.campaignId),
    profile_id: formatId('profile', profileId),
  };
  const { state, attempts, replyCode, reason, settledBy, outcomeAt } = rest;
  const outcome = { reply_code: replyCode, reason, settled_by: settledBy, outcome_at: outcomeAt };
  return `${JSON.stringify({ ...ids, state, attempts, ...outcome })}\n`;
}
