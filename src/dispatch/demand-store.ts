/** What a dispatch pass reads: what is outstanding, which lanes are due, and their next chunks. Each query is bounded. */
import type { ChunkKey } from '../ledger/delivery-id.ts';
import { chunkStates } from '../ledger/states.ts';
import { toChunkKey } from '../ledger/takeover.ts';
import type { Sql } from '../platform/mysql.ts';
import type { DestinationDemand, Lane, Share } from './dispatch-policy.ts';

/** Lanes of one destination and class that one pass looks at; the others have their turn in later passes. */
const lanesPerPass = 500;

type OutstandingRow = { destination_id: number; messages: number };
type LaneRow = { tenant_id: number; destination_id: number; class: number };

/**
 * Outstanding work is derived from chunks, not remembered: a new leader sees the same. Read by `by_lease`, it costs
 * what is outstanding, which the windows bound.
 */
async function readOutstanding(sql: Sql): Promise<ReadonlyMap<number, number>> {
  const rows = await sql.rows<OutstandingRow>(
    `SELECT destination_id, SUM(grant_n) AS messages FROM chunks
     WHERE state IN (${chunkStates.dispatched}, ${chunkStates.leased}) GROUP BY destination_id`,
  );
  return new Map(rows.map((row) => [row.destination_id, row.messages]));
}

type LaneGroup = { readonly destination_id: number; readonly class: number };

/** Destinations and classes with a lane that is due: a loose scan of `lanes.by_destination`, one step for each that there is. */
function readDueGroups(sql: Sql): Promise<readonly LaneGroup[]> {
  return sql.rows(
    'SELECT destination_id, class FROM lanes GROUP BY destination_id, class HAVING MIN(next_due_at) <= NOW(3)',
  );
}

/** Every destination with something outstanding or due. Lanes are read only of those that `hasRoom` for more. */
export async function readDemand(
  sql: Sql,
  hasRoom: (outstanding: number) => boolean,
): Promise<readonly DestinationDemand[]> {
  const [outstanding, groups] = await Promise.all([readOutstanding(sql), readDueGroups(sql)]);
  const open = groups.filter((group) => hasRoom(outstanding.get(group.destination_id) ?? 0));
  const lanes = groupByDestination(await readDueLanes(sql, open));
  return [...new Set([...outstanding.keys(), ...lanes.keys()])].map((destinationId) => ({
    destinationId,
    outstanding: outstanding.get(destinationId) ?? 0,
    lanes: lanes.get(destinationId) ?? [],
  }));
}

const groupsPerQuery = 40;

/** Those that were served longest ago come first (`touchLanes`), so that with more lanes than a pass reads, each has its turn. */
async function readDueLanes(sql: Sql, groups: readonly LaneGroup[]): Promise<readonly LaneRow[]> {
  const one = `(SELECT tenant_id, destination_id, class FROM lanes
    WHERE destination_id = ? AND class = ? AND next_due_at <= NOW(3) ORDER BY next_due_at LIMIT ${lanesPerPass})`;
  const found: LaneRow[] = [];
  for (let at = 0; at < groups.length; at += groupsPerQuery) {
    const some = groups.slice(at, at + groupsPerQuery);
    const values = some.flatMap((group) => [group.destination_id, group.class]);
    found.push(...(await sql.rows<LaneRow>(some.map(() => one).join(' UNION ALL '), values)));
  }
  return found;
}

function groupByDestination(rows: readonly LaneRow[]): ReadonlyMap<number, readonly Lane[]> {
  const groups = new Map<number, Lane[]>();
  for (const { tenant_id: tenantId, destination_id: destinationId, class: deliveryClass } of rows) {
    const lane = { tenantId, destinationId, class: deliveryClass };
    const group = groups.get(destinationId);
    if (group) group.push(lane);
    else groups.set(destinationId, [lane]);
  }
  return groups;
}

/** A chunk that is due, and whether its campaign lets it be sent now. */
export interface Candidate extends ChunkKey {
  readonly lane: Lane;
  readonly epoch: number;
  readonly sendable: number;
  readonly crashes: number;
  readonly size: number;
  readonly isRunning: boolean;
}

type CandidateRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  part: number;
  destination_id: number;
  class: number;
  epoch: number;
  size: number;
  crashes: number;
  sendable: number;
  is_running: number;
};

const sharesPerQuery = 40;
/** Chunks read for each share beyond what it needs, because some may be partly done or paused. */
const spareChunks = 4;

/** The next chunks of each share's lane, in order of their due time. */
export async function readCandidates(sql: Sql, shares: readonly Share[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (let at = 0; at < shares.length; at += sharesPerQuery) {
    candidates.push(...(await readSome(sql, shares.slice(at, at + sharesPerQuery))));
  }
  return candidates;
}

async function readSome(sql: Sql, shares: readonly Share[]): Promise<readonly Candidate[]> {
  const one = `(SELECT c.tenant_id, c.campaign_id, c.chunk_no, c.part, c.destination_id, c.class, c.epoch, c.size, c.crashes,
      c.n_pending + c.n_deferred AS sendable,
      m.state IN ('expanding', 'sending') AND m.paused_at IS NULL AND m.deadline_at > NOW(3) AS is_running
    FROM chunks c FORCE INDEX (by_lane) JOIN campaigns m ON m.tenant_id = c.tenant_id AND m.id = c.campaign_id
    WHERE c.tenant_id = ? AND c.destination_id = ? AND c.class = ? AND c.state = ${chunkStates.pending} AND c.due_at <= NOW(3)
    ORDER BY c.due_at LIMIT ?)`;
  const rows = await sql.rows<CandidateRow>(
    shares.map(() => one).join(' UNION ALL '),
    shares.flatMap(({ lane, messages }) => [
      lane.tenantId,
      lane.destinationId,
      lane.class,
      Math.ceil(messages / 100) + spareChunks,
    ]),
  );
  return rows.map(toCandidate);
}

function toCandidate(row: CandidateRow): Candidate {
  return {
    ...toChunkKey(row),
    lane: { tenantId: row.tenant_id, destinationId: row.destination_id, class: row.class },
    epoch: row.epoch,
    size: row.size,
    crashes: row.crashes,
    sendable: row.sendable,
    isRunning: row.is_running === 1,
  };
}
