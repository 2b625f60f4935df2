/** What a dispatch pass reads first: what is outstanding, and which lanes are due. Each query is bounded. */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import { chunkStates } from '../ledger/states.ts';
import { groupBy } from '../platform/group-by.ts';
import type { Sql } from '../platform/mysql.ts';
import type { DestinationDemand, DestinationState, DueLane, Outstanding } from './demand.ts';
import type { CampaignsAtWork } from './drained-campaigns.ts';
import { outstandingAt } from './rate-horizon.ts';
import { hasRoom, hasRoomForNewcomers } from './window-room.ts';

/** Lanes of one destination and class that one pass looks at; the others have their turn in later passes. */
const lanesPerPass = 500;

export interface OutstandingWork {
  readonly byDestination: ReadonlyMap<number, Outstanding>;
  readonly byCampaign: ReadonlyMap<number, number>;
  readonly campaigns: CampaignsAtWork;
}

type OutstandingRow = {
  destination_id: number;
  class: number;
  tenant_id: number;
  campaign_id: number;
  messages: number;
};

/**
 * Outstanding work is derived from chunks, not remembered: a new leader sees the same. Read by `by_lease`, it costs
 * what is outstanding, which the windows bound.
 */
export async function readOutstanding(sql: Sql): Promise<OutstandingWork> {
  const rows = await sql.rows<OutstandingRow>(
    `SELECT destination_id, class, tenant_id, campaign_id, SUM(grant_n) AS messages FROM chunks
     WHERE state IN (${chunkStates.dispatched}, ${chunkStates.leased})
     GROUP BY destination_id, class, tenant_id, campaign_id`,
  );
  return sumUp(rows);
}

function sumUp(rows: readonly OutstandingRow[]): OutstandingWork {
  const byDestination = new Map<
    number,
    { byClass: [number, number, number]; byTenant: Map<number, number> }
  >();
  const byCampaign = new Map<number, number>();
  const campaigns = new Map<number, CampaignKey>();
  for (const row of rows) {
    const sums = byDestination.get(row.destination_id) ?? { byClass: [0, 0, 0], byTenant: new Map() };
    byDestination.set(row.destination_id, sums);
    sums.byClass[row.class as 0 | 1 | 2] += row.messages;
    add(sums.byTenant, row.tenant_id, row.messages);
    add(byCampaign, row.campaign_id, row.messages);
    campaigns.set(row.campaign_id, { tenantId: row.tenant_id, campaignId: row.campaign_id });
  }
  return { byDestination, byCampaign, campaigns };
}

function add(sums: Map<number, number>, key: number, n: number): void {
  sums.set(key, (sums.get(key) ?? 0) + n);
}

type LaneGroup = { readonly destination_id: number; readonly class: number };

/** Destinations and classes with a lane that is due: a loose scan of `lanes.by_destination`, one step for each that there is. */
function readDueGroups(sql: Sql): Promise<readonly LaneGroup[]> {
  return sql.rows(
    'SELECT destination_id, class FROM lanes GROUP BY destination_id, class HAVING MIN(next_due_at) <= NOW(3)',
  );
}

const nothing: Outstanding = { byClass: [0, 0, 0], byTenant: new Map() };

type DestinationPace = Pick<DestinationState, 'windowMessages' | 'quotaMessages' | 'sharesConnections'>;

/** Every destination with something outstanding or due. Lanes are read only of those that are open and have room for more. */
export async function readDemand(
  sql: Sql,
  { byDestination }: OutstandingWork,
  paceOf: (destinationId: number) => DestinationPace,
): Promise<readonly DestinationDemand[]> {
  const stateOf = (destinationId: number): DestinationState => {
    const { windowMessages, quotaMessages, sharesConnections } = paceOf(destinationId);
    const outstanding = byDestination.get(destinationId) ?? nothing;
    return { destinationId, windowMessages, quotaMessages, sharesConnections, outstanding };
  };
  const groups = await readDueGroups(sql);
  const isOpen = (group: LaneGroup) => hasRoom(stateOf(group.destination_id), group.class);
  const isOpenToNewcomers = (group: LaneGroup) =>
    !isOpen(group) && hasRoomForNewcomers(stateOf(group.destination_id), group.class);
  const lanes = groupBy(
    [
      ...(await readDueLanes(sql, groups.filter(isOpen), longestDue)),
      ...(await readDueLanes(sql, groups.filter(isOpenToNewcomers), newestDue)),
    ],
    (lane) => lane.destinationId,
  );
  return [...new Set([...byDestination.keys(), ...lanes.keys()])].map((destinationId) => ({
    ...stateOf(destinationId),
    lanes: lanes.get(destinationId) ?? [],
  }));
}

type LaneRow = {
  tenant_id: number;
  destination_id: number;
  class: number;
  weight: number | null;
  per_second: number | null;
};

const groupsPerQuery = 40;
const longestDue = `ORDER BY next_due_at LIMIT ${lanesPerPass}`;
/** Where there is room for newcomers alone: they woke a moment ago. One that is missed has its turn when there is room for all. */
const newestDue = 'ORDER BY next_due_at DESC LIMIT 50';

/**
 * Those that were served longest ago come first (`touchLanes`), so that with more lanes than a pass reads, each has its turn. Read from the index
 * alone; weight and limit are the tenant's own row, so that a change takes effect at once.
 */
async function readDueLanes(
  sql: Sql,
  groups: readonly LaneGroup[],
  order: string,
): Promise<readonly DueLane[]> {
  const one = `(SELECT tenant_id, destination_id, class FROM lanes
    WHERE destination_id = ? AND class = ? AND next_due_at <= NOW(3) ${order})`;
  const found: DueLane[] = [];
  for (let at = 0; at < groups.length; at += groupsPerQuery) {
    const some = groups.slice(at, at + groupsPerQuery);
    const rows = await sql.rows<LaneRow>(
      `SELECT l.tenant_id, l.destination_id, l.class, n.weight, n.per_second
       FROM (${some.map(() => one).join(' UNION ALL ')}) l LEFT JOIN tenants n ON n.id = l.tenant_id`,
      some.flatMap((group) => [group.destination_id, group.class]),
    );
    found.push(...rows.map(toLane));
  }
  return found;
}

function toLane(row: LaneRow): DueLane {
  return {
    tenantId: row.tenant_id,
    destinationId: row.destination_id,
    class: row.class,
    weight: row.weight ?? 100,
    mostOutstanding: row.per_second === null ? undefined : outstandingAt(row.per_second),
  };
}
