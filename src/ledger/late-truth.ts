/**
 * Counts a chunk anew after something changed its rows from outside a grant: an outcome that came after a takeover, a
 * bounce that came by mail. A chunk that someone works on keeps its lease; only its counts are set.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import type { ChunkKey } from './delivery-id.ts';
import { type DueRules, dueInMs } from './due.ts';
import { chunkValues, chunkWhere } from './grant.ts';
import { countDeliveries, type LockedChunk, lockChunk, moveCounters, requeueChunk } from './recount.ts';
import { chunkStates, deliveryStateNames } from './states.ts';

export function recountChunk(db: Database, key: ChunkKey, rules: DueRules): Promise<void> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, key);
    if (chunk) await recountLocked(tx, key, chunk, rules);
  });
}

/** The same, for a caller that holds the chunk's lock. */
export async function recountLocked(
  tx: Sql,
  key: ChunkKey,
  chunk: LockedChunk,
  rules: DueRules,
): Promise<void> {
  const { counts, nextAttemptInMs } = await countDeliveries(tx, key);
  await moveCounters(tx, key, chunk.counts, counts);
  if (chunk.state === chunkStates.pending) {
    const wait = dueInMs({ counts, nextAttemptInMs, holdMs: 0, chunkNo: key.chunkNo }, rules);
    return requeueChunk(tx, key, chunk, {
      counts,
      dueInMs: wait,
      epoch: chunk.epoch,
      crashes: chunk.crashes,
    });
  }
  await tx.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET ${deliveryStateNames.map((state) => `n_${state} = ?`).join(', ')} WHERE ${chunkWhere}`,
    [...deliveryStateNames.map((state) => counts[state]), ...chunkValues(key)],
  );
}
