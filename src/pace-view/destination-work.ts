/** What waits and what is under way at some destinations: for a tenant its own, for the operator everybody's. */
import type { TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { addUp, type Backlog, countBacklogs, destinationRange, laneRange } from './backlog-store.ts';
import type { Viewer } from './destination-store.ts';
import { readLaneTurns, readNextTurns } from './lane-store.ts';
import { addOutstanding, readAllOutstanding, readOutstandingOf } from './outstanding-store.ts';

export interface DestinationWork {
  readonly backlog: Backlog;
  readonly outstanding: number;
  /** When a lane of it is looked at next; null: nothing will be due. */
  readonly nextDueAt: Date | null;
}

export function readWork(
  sql: Sql,
  viewer: Viewer,
  destinationIds: readonly number[],
): Promise<ReadonlyMap<number, DestinationWork>> {
  return viewer === 'admin' ? readAllWork(sql, destinationIds) : readWorkOf(sql, viewer, destinationIds);
}

async function readWorkOf(sql: Sql, tenantId: TenantId, ids: readonly number[]) {
  const turns = await readLaneTurns(sql, tenantId, ids);
  const ranges = turns.map((turn) => laneRange(tenantId, turn.destinationId, turn.class));
  const backlogs = await countBacklogs(sql, ranges);
  const outstanding = await readOutstandingOf(sql, tenantId);
  return new Map(
    ids.map((id): [number, DestinationWork] => {
      const own = turns.map((turn, i) => ({ ...turn, backlog: backlogs[i]! }));
      const lanes = own.filter(({ destinationId }) => destinationId === id);
      const backlog = addUp(lanes.map((lane) => lane.backlog));
      const nextDueAt = earliest(lanes.map((lane) => lane.nextDueAt));
      return [id, toWork({ backlog, nextDueAt }, addOutstanding(outstanding, id))];
    }),
  );
}

async function readAllWork(sql: Sql, ids: readonly number[]) {
  const backlogs = await countBacklogs(sql, ids.map(destinationRange));
  const outstanding = await readAllOutstanding(sql);
  const next = await readNextTurns(sql, ids);
  return new Map(
    ids.map((id, i): [number, DestinationWork] => [
      id,
      toWork({ backlog: backlogs[i]!, nextDueAt: next.get(id) ?? null }, addOutstanding(outstanding, id)),
    ]),
  );
}

/** What waits within chunks that are under way is backlog, too. */
function toWork(
  { backlog, nextDueAt }: Pick<DestinationWork, 'backlog' | 'nextDueAt'>,
  { messages, fresh, retry }: ReturnType<typeof addOutstanding>,
): DestinationWork {
  const held = { fresh, retry, isEstimate: false };
  return { backlog: addUp([backlog, held]), outstanding: messages, nextDueAt };
}

function earliest(times: readonly (Date | null)[]): Date | null {
  return times.reduce(
    (first, time) => (first === null || (time !== null && time < first) ? time : first),
    null,
  );
}
