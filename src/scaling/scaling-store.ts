/** What scaling reads from the database every few seconds, in bounded statements whatever the backlog. */
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import type { TenantWork } from './sendable-work.ts';

/** Lanes that were put off for a moment, because their tenant is at its rate, have work all the same. */
const soonSeconds = 5;
const mostDestinations = 2_000;
const lanesPerDestination = 5_000;
const destinationsPerQuery = 40;
/** Chunks read at first of each destination, how much deeper each further look goes, and the most in one. */
const chunksAtFirst = 20;
const deeper = 10;
const chunksInAll = 20_000;
const mostScheduled = 10_000;
/** Recipients of a chunk, at most. */
const chunkSize = 500;

/** A loose scan of `lanes.by_destination`, one step for each destination and class. */
export async function readDueDestinations(sql: Sql): Promise<readonly number[]> {
  const rows = await sql.rows<{ id: number }>(
    `SELECT destination_id AS id FROM lanes GROUP BY destination_id, class
     HAVING MIN(next_due_at) <= NOW(3) + INTERVAL ${soonSeconds} SECOND LIMIT ${mostDestinations}`,
  );
  return [...new Set(rows.map(({ id }) => id))];
}

export interface OutstandingOf {
  readonly destinationId: number;
  readonly dispatched: number;
  readonly leased: number;
  /** In the same chunks, and not granted. */
  readonly beyond: number;
}

/** By `by_lease`: what is outstanding, which DISPATCH_TOTAL_MESSAGES bounds. */
export function readOutstandingWork(sql: Sql): Promise<OutstandingOf[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, SUM(IF(state = ${chunkStates.dispatched}, grant_n, 0)) AS dispatched,
       SUM(IF(state = ${chunkStates.leased}, grant_n, 0)) AS leased, SUM(GREATEST(0, n_pending + n_deferred - grant_n)) AS beyond
     FROM chunks FORCE INDEX (by_lease) WHERE state IN (${chunkStates.dispatched}, ${chunkStates.leased}) GROUP BY destination_id`,
  );
}

/**
 * What is due at each destination: at first 20 chunks of each are read, then ten times as many of those that have more, and so on up to 20,000 in all (ten
 * million messages). So one long destination among many is read as deep as it is of use; what lies beyond asks for no more workers than there are anyway.
 */
export async function readDueWork(
  sql: Sql,
  destinationIds: readonly number[],
): Promise<ReadonlyMap<number, readonly TenantWork[]>> {
  const found = new Map<number, Read>();
  let ids = destinationIds;
  let each = chunksAtFirst;
  while (ids.length > 0) {
    for (const [id, read] of await readChunks(sql, ids, each)) found.set(id, read);
    ids = ids.filter((id) => (found.get(id)?.chunks ?? 0) >= each);
    const next = Math.min(each * deeper, Math.floor(chunksInAll / Math.max(1, ids.length)));
    if (next <= each) break;
    each = next;
  }
  return new Map([...found].map(([id, { works }]) => [id, works]));
}

interface Read {
  chunks: number;
  readonly works: TenantWork[];
}

type DueRow = {
  readonly destination_id: number;
  readonly tenant_id: number;
  readonly per_second: number | null;
  readonly chunks: number;
  readonly messages: number;
};

/** Lanes by `by_destination`, in the order in which they were served; their chunks by `by_lane`; tenants by primary key. */
const dueChunks = `(SELECT c.destination_id, c.tenant_id, c.n_pending + c.n_deferred AS messages
  FROM (SELECT tenant_id, class FROM lanes FORCE INDEX (by_destination)
    WHERE destination_id = ? AND class IN (0, 1, 2) AND next_due_at <= NOW(3) + INTERVAL ${soonSeconds} SECOND LIMIT ${lanesPerDestination}) l
  STRAIGHT_JOIN chunks c FORCE INDEX (by_lane) ON c.tenant_id = l.tenant_id AND c.destination_id = ? AND c.class = l.class
    AND c.state = ${chunkStates.pending} AND c.is_retry IN (0, 1) AND c.due_at <= NOW(3)
  LIMIT ?)`;

async function readChunks(
  sql: Sql,
  destinationIds: readonly number[],
  chunksOfEach: number,
): Promise<ReadonlyMap<number, Read>> {
  const found = new Map<number, Read>();
  for (let at = 0; at < destinationIds.length; at += destinationsPerQuery) {
    const ids = destinationIds.slice(at, at + destinationsPerQuery);
    const rows = await sql.rows<DueRow>(
      `SELECT d.destination_id, IF(t.per_second IS NULL, 0, d.tenant_id) AS tenant_id, t.per_second,
         COUNT(*) AS chunks, SUM(d.messages) AS messages
       FROM (${ids.map(() => dueChunks).join(' UNION ALL ')}) d LEFT JOIN tenants t ON t.id = d.tenant_id
       GROUP BY d.destination_id, IF(t.per_second IS NULL, 0, d.tenant_id), t.per_second`,
      ids.flatMap((id) => [id, id, chunksOfEach]),
    );
    for (const row of rows) addRow(found, row);
  }
  return found;
}

function addRow(
  found: Map<number, Read>,
  { destination_id, tenant_id, per_second, chunks, messages }: DueRow,
): void {
  const read = found.get(destination_id) ?? { chunks: 0, works: [] };
  read.chunks += chunks;
  read.works.push(
    per_second === null ? { messages } : { messages, tenantId: tenant_id, perSecond: per_second },
  );
  found.set(destination_id, read);
}

export interface UpcomingOf {
  readonly transportId: number;
  /** Estimated recipients that its campaigns' own rates let go within the target drain time. */
  readonly messages: number;
}

/**
 * Campaigns that begin within so many seconds or should have begun, and the rest of those that are being expanded. By `campaigns.by_state`, at most 10,000 of
 * each. A chunk has at most 500 recipients, so that what is placed is never underrated.
 */
export function readUpcoming(sql: Sql, aheadSeconds: number, drainSeconds: number): Promise<UpcomingOf[]> {
  const columns = 'transport_id, estimated_recipients, per_minute';
  return sql.rows(
    `SELECT transport_id AS transportId, SUM(LEAST(waiting, COALESCE(per_minute * ? / 60, waiting))) AS messages FROM (
       (SELECT ${columns}, estimated_recipients AS waiting FROM campaigns
        WHERE state = 'scheduled' AND send_at <= NOW(3) + INTERVAL ? SECOND AND paused_at IS NULL LIMIT ${mostScheduled})
       UNION ALL
       (SELECT ${columns}, GREATEST(0, estimated_recipients - CAST(next_chunk_no AS SIGNED) * ${chunkSize}) AS waiting FROM campaigns
        WHERE state = 'expanding' AND expansion_done = 0 AND paused_at IS NULL LIMIT ${mostScheduled})) c
     WHERE waiting > 0 AND transport_id IS NOT NULL GROUP BY transport_id`,
    [drainSeconds, aheadSeconds],
  );
}

/** Live processes by what they run, as each names itself in `leases` (`fleet-share.ts`). */
export async function readLiveProcesses(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.rows<{ role: string; n: number }>(
    `SELECT SUBSTRING_INDEX(SUBSTRING(name, 3), '-', 1) AS role, COUNT(*) AS n FROM leases
     WHERE name LIKE 'm:%' AND \`until\` > NOW(3) GROUP BY role`,
  );
  return new Map(rows.map(({ role, n }) => [role, n]));
}

/** What transports are allowed over all their destinations, a second, where that is set. */
export async function readTransportRates(
  sql: Sql,
  transportIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (transportIds.length === 0) return new Map();
  const rows = await sql.rows<{ id: number; limits: string }>(
    'SELECT id, limits FROM transports WHERE id IN (?)',
    [transportIds],
  );
  const rates = rows.map(({ id, limits }) => [id, perSecondOf(limits)] as const);
  return new Map(rates.filter((entry): entry is readonly [number, number] => entry[1] !== undefined));
}

function perSecondOf(limits: string): number | undefined {
  return (JSON.parse(limits) as { perSecond?: number }).perSecond;
}

const mostDestinationsOf = 5_000;

/** Destinations of these transports, by `by_name`: as many as are looked at. */
export function readDestinationsOf(
  sql: Sql,
  transportIds: readonly number[],
): Promise<{ readonly id: number; readonly transportId: number }[]> {
  if (transportIds.length === 0) return Promise.resolve([]);
  return sql.rows(
    `SELECT id, transport_id AS transportId FROM destinations WHERE transport_id IN (?) LIMIT ${mostDestinationsOf}`,
    [transportIds],
  );
}
