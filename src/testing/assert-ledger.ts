/** What must hold after every run, whatever happened in it: the ledger against itself, and against what the sink accepted. */
import { expect } from 'vitest';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import { chunkStates, deliveryStateNames, deliveryStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import { findDeliveryToken } from '../render/tokens.ts';
import type { Accepted } from './smtp-sink/tally.ts';

/**
 * Counters equal rows; every chunk is done and every recipient settled; the accepted messages and the rows `sent` are the same, one to
 * one by Message-ID. The sink must have kept its messages in memory.
 */
export async function assertLedger(sql: Sql, sink: { accepted(): Accepted }): Promise<void> {
  await assertCounts(sql);
  expect(await countOpenChunks(sql), 'chunks that are not done').toBe(0);
  const { log, duplicates, byAddress } = sink.accepted();
  const accepted = log.map(({ messageId }) => findDeliveryToken(messageId)?.split('.')[0] ?? messageId);
  expect(new Set(accepted).size, 'a message was accepted twice').toBe(accepted.length);
  expect(accepted.sort(), 'accepted at the sink, and sent in the ledger').toEqual(await readSentIds(sql));
  expect(
    [...byAddress.values()].reduce((sum, n) => sum + n, 0),
    `to ${duplicates}`,
  ).toBe(log.length);
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

async function countOpenChunks(sql: Sql): Promise<number | undefined> {
  const row = await sql.first<{ n: number }>(
    `SELECT COUNT(*) AS n FROM chunks WHERE state <> ${chunkStates.done}`,
  );
  return row?.n;
}

type Row = { tenant_id: number; campaign_id: number; part: number; chunk_no: number; seq: number };

async function readSentIds(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows<Row>(
    `SELECT tenant_id, campaign_id, part, chunk_no, seq FROM deliveries WHERE state = ${deliveryStates.sent}`,
  );
  const idOf = (row: Row) =>
    formatDeliveryId({
      tenantId: row.tenant_id,
      campaignId: row.campaign_id,
      part: row.part,
      chunkNo: row.chunk_no,
      seq: row.seq,
    } as Parameters<typeof formatDeliveryId>[0]);
  return rows.map(idOf).sort();
}
