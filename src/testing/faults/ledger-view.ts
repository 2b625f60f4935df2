/** What the ledger says of an experiment's campaigns, read all at once. */
import { parseDeliveryId } from '../../ledger/delivery-id.ts';
import { type DeliveryState, deliveryStateName, deliveryStateNames } from '../../ledger/states.ts';
import type { Sql } from '../../platform/mysql.ts';

export interface LedgerRow {
  /** `tenant-campaign-chunk-seq`. */
  readonly key: string;
  readonly state: DeliveryState;
  readonly settledBy: string | null;
  readonly reason: string | null;
}

export interface LedgerView {
  readonly rows: ReadonlyMap<string, LedgerRow>;
  /** By state, three ways: the rows, the chunks' counts, the campaign's counters. */
  readonly counted: Readonly<Record<'rows' | 'chunks' | 'counters', Readonly<Record<string, number>>>>;
  readonly openChunks: number;
}

type DeliveryRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  seq: number;
  state: number;
  settled_by: string | null;
  reason: string | null;
};

const sums = deliveryStateNames.map((state) => `COALESCE(SUM(n_${state}), 0) AS ${state}`).join(', ');

export async function readLedger(sql: Sql, tenantIds: readonly number[]): Promise<LedgerView> {
  const deliveries = await sql.rows<DeliveryRow>(
    'SELECT tenant_id, campaign_id, chunk_no, seq, state, settled_by, reason FROM deliveries WHERE tenant_id IN (?)',
    [tenantIds],
  );
  const rows = deliveries.map(toLedgerRow);
  const chunks = await sql.first<Record<string, number>>(
    `SELECT ${sums}, COALESCE(SUM(state <> 3), 0) AS open FROM chunks WHERE tenant_id IN (?)`,
    [tenantIds],
  );
  const counters = await sql.first<Record<string, number>>(
    `SELECT ${sums} FROM campaign_counters WHERE tenant_id IN (?)`,
    [tenantIds],
  );
  const { open = 0, ...chunkCounts } = chunks ?? {};
  return {
    rows: new Map(rows.map((row) => [row.key, row])),
    counted: { rows: countStates(rows), chunks: toNumbers(chunkCounts), counters: toNumbers(counters ?? {}) },
    openChunks: Number(open),
  };
}

function toLedgerRow(row: DeliveryRow): LedgerRow {
  return {
    key: `${row.tenant_id}-${row.campaign_id}-${row.chunk_no}-${row.seq}`,
    state: deliveryStateName(row.state),
    settledBy: row.settled_by,
    reason: row.reason,
  };
}

function countStates(rows: readonly LedgerRow[]): Record<string, number> {
  const count = (state: DeliveryState) => rows.filter((row) => row.state === state).length;
  return Object.fromEntries(deliveryStateNames.map((state) => [state, count(state)]));
}

function toNumbers(counts: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(deliveryStateNames.map((state) => [state, Number(counts[state] ?? 0)]));
}

/** The ledger row that a message at the sink belongs to: its Message-ID says it. */
export function keyOfMessageId(messageId: string): string | undefined {
  const id = /<(dlv_[a-z0-9]+)\./i.exec(messageId)?.[1];
  const key = id === undefined ? undefined : parseDeliveryId(id);
  return key && `${key.tenantId}-${key.campaignId}-${key.chunkNo}-${key.seq}`;
}
