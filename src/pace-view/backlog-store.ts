/**
 * How much waits, without counting it all. What is pending is counted chunk by chunk: deliveries are never counted.
 *
 * Of each lane the first 200 fresh chunks and the first 200 of retries are read whole (up to 100,000 messages of each: exact). What is beyond is counted in
 * the index alone and multiplied by their mean; all lanes of a call together count at most 200,000 entries. Measured with 20,000 chunks in a
 * lane: see `backlog-store.db.test.ts`.
 */
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';

export interface Backlog {
  /** Messages never tried, or given back untried. */
  readonly fresh: number;
  /** Messages to be tried again. */
  readonly retry: number;
  /** It is extrapolated, or there is more than was looked at. */
  readonly isEstimate: boolean;
}

export const noBacklog: Backlog = { fresh: 0, retry: 0, isEstimate: false };

/** Some pending chunks, as the FROM of a query with `c` for chunks and `is_retry` as its last value. */
export interface ChunkRange {
  readonly from: string;
  readonly values: readonly unknown[];
}

const readWhole = 200;
const entriesPerCall = 200_000;
const rangesPerQuery = 40;
/** Lanes of one destination that are looked into for the operator. */
const lanesPerDestination = 300;

export function laneRange(tenantId: number, destinationId: number, deliveryClass: number): ChunkRange {
  return {
    from: `chunks c FORCE INDEX (by_lane) WHERE c.tenant_id = ? AND c.destination_id = ? AND c.class = ?
      AND c.state = ${chunkStates.pending} AND c.is_retry = ?`,
    values: [tenantId, destinationId, deliveryClass],
  };
}

/** Of every tenant, for the operator: lanes that are due or will be, as many as are looked into. What is paused is not among them. */
export function destinationRange(destinationId: number): ChunkRange {
  return {
    from: `(SELECT tenant_id, class FROM lanes FORCE INDEX (by_destination)
        WHERE destination_id = ? AND class IN (0, 1, 2) AND next_due_at IS NOT NULL LIMIT ${lanesPerDestination}) l
      STRAIGHT_JOIN chunks c FORCE INDEX (by_lane) ON c.tenant_id = l.tenant_id AND c.destination_id = ? AND c.class = l.class
        AND c.state = ${chunkStates.pending} AND c.is_retry = ?`,
    values: [destinationId, destinationId],
  };
}

/** The backlog of each range, in their order. */
export async function countBacklogs(sql: Sql, ranges: readonly ChunkRange[]): Promise<readonly Backlog[]> {
  const kinds = ranges.flatMap(({ from, values }) =>
    [0, 1].map((isRetry) => ({ from, values: [...values, isRetry] })),
  );
  const samples = await readFirstChunks(sql, kinds);
  const isLong = (i: number) => samples[i]!.chunks === readWhole;
  const long = kinds.map((_, i) => i).filter(isLong);
  const counted = await countChunks(
    sql,
    long.map((i) => kinds[i]!),
  );
  const chunks = new Map(long.map((i, n) => [i, counted[n]!]));
  return ranges.map((_, i) =>
    addUp([2 * i, 2 * i + 1].map((kind) => extrapolate(samples[kind]!, chunks.get(kind)))),
  );
}

interface Sample {
  readonly chunks: number;
  readonly fresh: number;
  readonly retry: number;
}

function readFirstChunks(sql: Sql, kinds: readonly ChunkRange[]): Promise<Sample[]> {
  return inBatches(sql, kinds, ({ from, values }) => ({
    from: `COUNT(*) AS chunks, COALESCE(SUM(n_pending), 0) AS fresh, COALESCE(SUM(n_deferred), 0) AS retry
      FROM (SELECT c.n_pending, c.n_deferred FROM ${from} LIMIT ${readWhole}) some`,
    values,
  }));
}

/** Index entries only. The lanes that are long share what may be counted. */
async function countChunks(sql: Sql, kinds: readonly ChunkRange[]): Promise<number[]> {
  const most = Math.floor(entriesPerCall / Math.max(1, kinds.length));
  const rows = await inBatches<{ chunks: number }>(sql, kinds, ({ from, values }) => ({
    from: `COUNT(*) AS chunks FROM (SELECT 1 FROM ${from} LIMIT ?) some`,
    values: [...values, most],
  }));
  return rows.map(({ chunks }) => chunks);
}

async function inBatches<T>(
  sql: Sql,
  kinds: readonly ChunkRange[],
  select: (kind: ChunkRange) => ChunkRange,
): Promise<T[]> {
  const found: (T & { place: number })[] = [];
  for (let at = 0; at < kinds.length; at += rangesPerQuery) {
    const selects = kinds.slice(at, at + rangesPerQuery).map(select);
    const statement = selects
      .map(({ from }, i) => `(SELECT ${at + i} AS place, ${from})`)
      .join(' UNION ALL ');
    found.push(
      ...(await sql.rows<T & { place: number }>(
        statement,
        selects.flatMap(({ values }) => values),
      )),
    );
  }
  return found.sort((a, b) => a.place - b.place);
}

function extrapolate(sample: Sample, counted: number | undefined): Backlog {
  const { chunks, fresh, retry } = sample;
  const scale = counted === undefined ? 1 : Math.max(1, counted / chunks);
  return { fresh: Math.round(fresh * scale), retry: Math.round(retry * scale), isEstimate: scale > 1 };
}

export function addUp(backlogs: readonly Backlog[]): Backlog {
  return backlogs.reduce(
    (sum, { fresh, retry, isEstimate }) => ({
      fresh: sum.fresh + fresh,
      retry: sum.retry + retry,
      isEstimate: sum.isEstimate || isEstimate,
    }),
    noBacklog,
  );
}
