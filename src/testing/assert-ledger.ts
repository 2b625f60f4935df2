/** What must hold after every run, whatever happened in it: the ledger against itself, and against what the sink accepted. */
import { expect } from 'vitest';
import { type DeliveryKey, formatDeliveryId } from '../ledger/delivery-id.ts';
import { deliveryStateNames, deliveryStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import { findDeliveryToken } from '../render/tokens.ts';
import { readOpenChunks } from './open-chunks.ts';
import type { Accepted } from './smtp-sink/tally.ts';

/**
 * Counters equal rows; every chunk is done and every recipient settled; the accepted messages and the rows `sent` are the same, one to
 * one by Message-ID, but for rows that were in doubt and assumed delivered. The sink must have kept its messages in memory.
 */
export async function assertLedger(sql: Sql, sink: { accepted(): Accepted }): Promise<void> {
  await assertCounts(sql);
  expect(await readOpenChunks(sql), 'chunks that are not done').toEqual([]);
  const accepted = sink.accepted().log.map(({ messageId }) => deliveryOf(messageId));
  expect(new Set(accepted).size, 'a message was accepted twice').toBe(accepted.length);
  const sent = await readSent(sql);
  const all = sent.map(({ id }) => id);
  const proven = sent.filter(({ settledBy }) => settledBy === null).map(({ id }) => id);
  expect(missing(accepted, all), 'accepted at the sink, but not sent in the ledger').toEqual([]);
  expect(missing(proven, accepted), 'sent in the ledger, but not accepted at the sink').toEqual([]);
}

/** The delivery that a message is of, by its Message-ID. */
export function deliveryOf(messageId: string): string {
  return findDeliveryToken(messageId)?.split('.')[0] ?? messageId;
}

function missing(these: readonly string[], those: readonly string[]): readonly string[] {
  const known = new Set(those);
  return these.filter((one) => !known.has(one));
}

/** The counts on chunks and the campaigns' counters are those of the rows. */
export async function assertCounts(sql: Sql): Promise<void> {
  const sums = (prefix: string) =>
    deliveryStateNames.map((name) => `SUM(${prefix}n_${name}) AS ${name}`).join(', ');
  const cases = deliveryStateNames
    .map((name) => `SUM(state = ${deliveryStates[name]}) AS ${name}`)
    .join(', ');
  const counters = await sql.rows(
    `SELECT tenant_id, campaign_id, ${sums('')} FROM campaign_counters GROUP BY tenant_id, campaign_id
     HAVING ${deliveryStateNames.join(' + ')} > 0 ORDER BY tenant_id, campaign_id`,
  );
  const byCampaign = await sql.rows(
    `SELECT tenant_id, campaign_id, ${cases} FROM deliveries GROUP BY tenant_id, campaign_id ORDER BY tenant_id, campaign_id`,
  );
  expect(counters, "the campaigns' counters against the rows").toEqual(byCampaign);
  const chunks = await sql.rows(
    `SELECT tenant_id, campaign_id, chunk_no, ${deliveryStateNames.map((name) => `n_${name} AS ${name}`).join(', ')}
     FROM chunks ORDER BY tenant_id, campaign_id, chunk_no`,
  );
  const byChunk = await sql.rows(
    `SELECT tenant_id, campaign_id, chunk_no, ${cases} FROM deliveries GROUP BY tenant_id, campaign_id, chunk_no
     ORDER BY tenant_id, campaign_id, chunk_no`,
  );
  expect(chunks, "the chunks' counts against the rows").toEqual(byChunk);
}

type Row = {
  tenant_id: number;
  campaign_id: number;
  part: number;
  chunk_no: number;
  seq: number;
  settled_by: string | null;
};

async function readSent(sql: Sql): Promise<readonly { id: string; settledBy: string | null }[]> {
  const rows = await sql.rows<Row>(
    `SELECT tenant_id, campaign_id, part, chunk_no, seq, settled_by FROM deliveries WHERE state = ${deliveryStates.sent}`,
  );
  return rows.map((row) => {
    const key = {
      tenantId: row.tenant_id,
      campaignId: row.campaign_id,
      part: row.part,
      chunkNo: row.chunk_no,
      seq: row.seq,
    };
    return { id: formatDeliveryId(key as DeliveryKey), settledBy: row.settled_by };
  });
}
