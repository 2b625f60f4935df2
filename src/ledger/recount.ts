/**
 * Counts are set, never added: whenever a chunk's grant ends, its rows (at most 500, by key, under the chunk's lock) are
 * counted anew, and the campaign's slotted counters move by new minus old in the same transaction. So counters can't drift,
 * whatever was lost, repeated or late before.
 *
 * Locks, always in this order: the chunk, one counter slot, the lane.
 */
import type { Sql } from '../platform/mysql.ts';
import type { ChunkKey } from './delivery-id.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import {
  chunkStates,
  type DeliveryState,
  deliveryStateName,
  deliveryStateNames,
  deliveryStates,
  type StateCounts,
  settledStates,
} from './states.ts';

/** Campaign counters are spread over this many rows, so that workers ending grants at once don't queue on one. */
export const counterSlots = 8;

export const countColumns = deliveryStateNames.map((state) => `n_${state}`).join(', ');
/** All recipients that a row counts, whatever their state. */
export const allCounts = deliveryStateNames.map((state) => `n_${state}`).join(' + ');

export interface LockedChunk {
  readonly state: number;
  readonly epoch: number;
  readonly owner: string | null;
  readonly destinationId: number;
  readonly class: number;
  readonly crashes: number;
  readonly counts: StateCounts;
}

/** Locks the chunk's row until the transaction ends. */
export async function lockChunk(tx: Sql, key: ChunkKey): Promise<LockedChunk | undefined> {
  const row = await tx.first<Record<string, number> & { owner: string | null }>(
    `SELECT state, epoch, owner, destination_id, class, crashes, ${countColumns} FROM chunks WHERE ${chunkWhere} FOR UPDATE`,
    chunkValues(key),
  );
  if (!row) return undefined;
  const counts = mapCounts((state) => row[`n_${state}`] as number);
  const {
    state,
    epoch,
    owner,
    destination_id,
    class: deliveryClass,
    crashes,
  } = row as Record<string, number> & { owner: string };
  return {
    state: state as number,
    epoch: epoch as number,
    owner,
    destinationId: destination_id as number,
    class: deliveryClass as number,
    crashes: crashes as number,
    counts,
  };
}

export interface Recount {
  readonly counts: StateCounts;
  /** ms until the earliest deferred row is due; null when none is deferred. */
  readonly nextAttemptInMs: number | null;
}

export async function countDeliveries(tx: Sql, key: ChunkKey): Promise<Recount> {
  type Row = { state: number; n: number; next_in_ms: number | null };
  const rows = await tx.rows<Row>(
    `SELECT state, COUNT(*) AS n,
       MIN(CASE WHEN state = ${deliveryStates.deferred} THEN TIMESTAMPDIFF(MICROSECOND, NOW(3), next_attempt_at) END) / 1000 AS next_in_ms
     FROM deliveries WHERE ${chunkWhere} GROUP BY state`,
    chunkValues(key),
  );
  const found = new Map(rows.map((row) => [deliveryStateName(row.state), row]));
  return {
    counts: mapCounts((state) => found.get(state)?.n ?? 0),
    nextAttemptInMs: found.get('deferred')?.next_in_ms ?? null,
  };
}

/** Moves the campaign's counters by what the chunk's counts changed. */
export async function moveCounters(
  tx: Sql,
  key: ChunkKey,
  before: StateCounts,
  after: StateCounts,
): Promise<void> {
  const changed = deliveryStateNames.filter((state) => before[state] !== after[state]);
  if (changed.length === 0) return;
  await tx.write(
    `UPDATE campaign_counters SET ${changed.map((state) => `n_${state} = n_${state} + ?`).join(', ')}
     WHERE tenant_id = ? AND campaign_id = ? AND slot = ?`,
    [
      ...changed.map((state) => after[state] - before[state]),
      key.tenantId,
      key.campaignId,
      key.chunkNo % counterSlots,
    ],
  );
}

export function isSettled(counts: StateCounts): boolean {
  const settled = settledStates.reduce((sum, state) => sum + counts[state], 0);
  return settled === deliveryStateNames.reduce((sum, state) => sum + counts[state], 0);
}

export interface Requeue {
  readonly counts: StateCounts;
  /** Wait at least this long before the chunk is dispatched again, ms; null: nothing in it can be dispatched yet. */
  readonly dueInMs: number | null;
  readonly epoch: number;
  readonly crashes: number;
  /** The destination takes nothing for so long, ms: the whole lane sleeps, or its backlog would be rendered for nothing. */
  readonly laneHoldMs?: number;
}

/**
 * Writes the chunk back as done, or as pending and due in time; wakes its lane. With nothing but deferred rows left it is a retry from now on: the
 * dispatcher reads a lane's retries and its fresh chunks apart.
 */
export async function requeueChunk(
  tx: Sql,
  key: ChunkKey,
  locked: LockedChunk,
  requeue: Requeue,
): Promise<void> {
  const { counts, dueInMs, epoch, crashes, laneHoldMs = 0 } = requeue;
  const isDone = isSettled(counts);
  await tx.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET state = ?, epoch = ?, crashes = ?, is_retry = ?, owner = NULL, grant_n = 0, lease_until = NULL,
       due_at = ${dueInMs === null ? "'9999-12-31'" : 'NOW(3) + INTERVAL ? MICROSECOND'},
       ${deliveryStateNames.map((state) => `n_${state} = ?`).join(', ')}
     WHERE ${chunkWhere}`,
    [
      isDone ? chunkStates.done : chunkStates.pending,
      epoch,
      crashes,
      counts.pending === 0 && counts.deferred > 0,
      ...(dueInMs === null ? [] : [Math.round(dueInMs * 1000)]),
      ...deliveryStateNames.map((state) => counts[state]),
      ...chunkValues(key),
    ],
  );
  const wakes = isDone ? null : dueInMs;
  if (laneHoldMs > 0)
    await setLaneDue(tx, key.tenantId, locked, 'NOW(3) + INTERVAL ? MICROSECOND', laneHoldMs);
  else if (wakes !== null) await setLaneDue(tx, key.tenantId, locked, noLaterThan, wakes);
}

const noLaterThan = `LEAST(COALESCE(next_due_at, TIMESTAMP '9999-12-31 00:00:00'), NOW(3) + INTERVAL ? MICROSECOND)`;

async function setLaneDue(tx: Sql, tenantId: number, locked: LockedChunk, due: string, inMs: number) {
  await tx.write(
    `UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = ${due} WHERE tenant_id = ? AND destination_id = ? AND class = ?`,
    [Math.round(inMs * 1000), tenantId, locked.destinationId, locked.class],
  );
}

function mapCounts(count: (state: DeliveryState) => number): StateCounts {
  return Object.fromEntries(deliveryStateNames.map((state) => [state, count(state)])) as StateCounts;
}
