/** `/v1/lanes`: a tenant's backlog by destination and class, and what holds each lane back. */
import { z } from 'zod';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut, pageOf, pageQuery, timestamp } from '../http/schemas.ts';
import { formatId, type TenantId } from '../ids.ts';
import { addUp, type Backlog, countBacklogs, laneRange } from './backlog-store.ts';
import {
  backlogOut,
  limitedByOut,
  nextAttemptAt,
  reasonOut,
  showBacklog,
  showTransportRef,
  transportRef,
} from './destination-schemas.ts';
import { type DestinationStatus, limitOf, opensAtMs } from './destination-status.ts';
import { listLanes, type StoredLane } from './lane-store.ts';
import { addOutstanding, readOutstandingOf } from './outstanding-store.ts';
import { type PaceViewParts, readStatuses } from './read-status.ts';

export function laneRoutes(parts: PaceViewParts): Route[] {
  return [listRoute(parts)];
}

const laneOut = z
  .object({
    destination: z.object({ id: idOut('destination'), name: z.string(), transport: transportRef }),
    class: z.enum(['transactional', 'flow', 'campaign']),
    backlog: backlogOut,
    outstanding: z.int().meta({ description: 'Messages dispatched and not yet settled' }),
    next_due_at: timestamp.nullable().meta({
      description:
        'When the dispatcher looks at it next: in the past when it waits for its turn. Null: nothing will be due',
    }),
    next_attempt_at: timestamp
      .nullable()
      .meta({ description: 'The same, but not before the destination is open' }),
    weight: z.int().meta({ description: 'Its tenant’s: 100 is usual, twice that is twice the share' }),
    limited_by: limitedByOut,
    reason: reasonOut,
  })
  .meta({ id: 'Lane' });

function listRoute(parts: PaceViewParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/lanes', operationId: 'listLanes', tag: 'Pace' },
    summary: 'List lanes: what waits at each destination, by class',
    description:
      'A lane is what one tenant has for one destination in one class: the unit of fairness. Lanes that are empty stay listed.',
    access: 'transports:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(laneOut) } },
    handle: async ({ tenantId, query }) => json(200, await readPage(parts, tenantId, query)),
  });
}

/**
 * Costs: the page's lanes by primary key; up to 400 chunks of each and at most 200,000 index entries of all together (`backlog-store.ts`); what the fleet has
 * outstanding. The lanes' destinations are read in the same query.
 */
async function readPage(
  parts: PaceViewParts,
  tenantId: TenantId,
  { cursor, page_size: size }: z.output<typeof pageQuery>,
) {
  const [afterDestinationId, afterClass] = decodeCursor(cursor, z.int(), z.int()) ?? [0, -1];
  const rows = await listLanes(parts.db, tenantId, { afterDestinationId, afterClass, limit: size + 1 });
  const shown = rows.slice(0, size);
  const statuses = await readStatuses(
    parts,
    shown.map(({ destination }) => destination),
  );
  const ranges = shown.map((lane) => laneRange(tenantId, lane.destination.id, lane.classCode));
  const backlogs = await countBacklogs(parts.db, ranges);
  const outstanding = await readOutstandingOf(parts.db, tenantId);
  const nowMs = parts.clock.now();
  return toPage(rows, size, {
    item: (lane) =>
      showLane(lane, {
        status: statuses.get(lane.destination.id)!,
        backlog: backlogs[shown.indexOf(lane)]!,
        outstanding: addOutstanding(outstanding, lane.destination.id, lane.classCode),
        nowMs,
      }),
    position: (lane) => [lane.destination.id, lane.classCode],
  });
}

interface LaneState {
  readonly status: DestinationStatus;
  readonly backlog: Backlog;
  readonly outstanding: ReturnType<typeof addOutstanding>;
  readonly nowMs: number;
}

function showLane(lane: StoredLane, { status, backlog, outstanding, nowMs }: LaneState) {
  const { destination, nextDueAt, weight } = lane;
  const { limitedBy, reason } = limitOf(status);
  return {
    destination: {
      id: formatId('destination', destination.id),
      name: destination.name,
      transport: showTransportRef(destination),
    },
    class: lane.class,
    backlog: showBacklog(addUp([backlog, { ...outstanding, isEstimate: false }])),
    outstanding: outstanding.messages,
    ...{ weight, reason },
    limited_by: limitedBy,
    next_due_at: nextDueAt,
    next_attempt_at: nextAttemptAt(nextDueAt, opensAtMs(status, nowMs)),
  };
}
