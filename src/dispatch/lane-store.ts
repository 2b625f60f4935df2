/** When lanes are looked at again. */
import { chunkStates } from '../ledger/states.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import type { Lane } from './demand.ts';
import { batchesOf } from './key-batches.ts';

/** When a chunk is out of the way until something happens to its campaign. */
export const parkedUntil = "'9999-12-31'";
export const whereLane = 'tenant_id = ? AND destination_id = ? AND class = ?';
const lanesPerStatement = 50;
/** Lanes put to sleep in one pass; the others are found idle again by the next. */
const lanesPerPass = 500;

export function laneValues({ tenantId, destinationId, class: deliveryClass }: Lane) {
  return [tenantId, destinationId, deliveryClass];
}

/** The lanes that were served go behind the others that are due: a pass reads only so many of a destination. */
export async function touchLanes(tx: Sql, served: Iterable<Lane>): Promise<void> {
  for (const lanes of batchesOf([...new Set(served)], lanesPerStatement)) {
    await tx.write(
      `UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NOW(3) WHERE next_due_at <= NOW(3) AND (${anyOf(lanes)})`,
      lanes.flatMap(laneValues),
    );
  }
}

/** Looks at them again in a while: they are due and may not go. Whatever ends meanwhile may wake them sooner. */
export async function holdLanes(db: Database, held: readonly Lane[], holdMs: number): Promise<void> {
  for (const lanes of batchesOf(held, lanesPerStatement))
    await db.autocommit((sql) => holdSome(sql, lanes, holdMs));
}

/** Several rows locked by one statement: after a deadlock it is run again, or it would cost the whole pass. */
async function holdSome(sql: Sql, lanes: readonly Lane[], holdMs: number): Promise<void> {
  await sql.write(
    `UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NOW(3) + INTERVAL ? MICROSECOND
     WHERE next_due_at <= NOW(3) AND (${anyOf(lanes)})`,
    [holdMs * 1_000, ...lanes.flatMap(laneValues)],
  );
}

/** Sets each lane's next due time from its chunks, or none. */
export async function rescheduleLanes(db: Database, lanes: readonly Lane[]): Promise<void> {
  const inOrder = [...lanes].sort(compareKeys).slice(0, lanesPerPass);
  for (const some of batchesOf(inOrder, lanesPerStatement)) await rescheduleSome(db, some);
}

/** The order in which every transaction locks lanes. */
function compareKeys(a: Lane, b: Lane): number {
  return a.tenantId - b.tenantId || a.destinationId - b.destinationId || a.class - b.class;
}

/** The lanes are locked first, so that an expansion or the end of a grant that adds to them waits or is seen. */
function rescheduleSome(db: Database, lanes: readonly Lane[]): Promise<void> {
  return db.transaction(async (tx) => {
    const values = lanes.flatMap(laneValues);
    await tx.rows(
      `SELECT 1 FROM lanes FORCE INDEX (PRIMARY) WHERE ${anyOf(lanes)} ORDER BY tenant_id, destination_id, class FOR UPDATE`,
      values,
    );
    const dueIn = await readNextDue(tx, lanes);
    const times = lanes.map((_, i) => dueIn.get(i) ?? null);
    const cases = times.map(
      (due) => `WHEN ${whereLane} THEN ${due === null ? 'NULL' : 'NOW(3) + INTERVAL ? MICROSECOND'}`,
    );
    await tx.write(
      `UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = CASE ${cases.join(' ')} END WHERE ${anyOf(lanes)}`,
      [
        ...lanes.flatMap((lane, i) => [...laneValues(lane), ...(times[i] === null ? [] : [times[i]])]),
        ...values,
      ],
    );
  });
}

/** µs until the first chunk of each is due, by its place. Fresh chunks and retries lie apart in `by_lane`: two ends of ranges each. */
async function readNextDue(tx: Sql, lanes: readonly Lane[]): Promise<ReadonlyMap<number, number>> {
  const one = `(SELECT ? AS place, TIMESTAMPDIFF(MICROSECOND, NOW(3), MIN(due_at)) AS due FROM chunks
    WHERE ${whereLane} AND state = ${chunkStates.pending} AND is_retry = ? AND due_at < ${parkedUntil})`;
  const rows = await tx.rows<{ place: number; due: number | null }>(
    lanes.flatMap(() => [one, one]).join(' UNION ALL '),
    lanes.flatMap((lane, place) => [0, 1].flatMap((isRetry) => [place, ...laneValues(lane), isRetry])),
  );
  const next = new Map<number, number>();
  for (const { place, due } of rows)
    if (due !== null) next.set(place, Math.min(due, next.get(place) ?? Number.POSITIVE_INFINITY));
  return next;
}

function anyOf(lanes: readonly Lane[]): string {
  return lanes.map(() => `(${whereLane})`).join(' OR ');
}
