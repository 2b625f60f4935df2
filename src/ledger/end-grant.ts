/**
 * S5, the end of a grant: the chunk is counted anew and goes back to pending, or is done. Ending one early is the same
 * single update; what was not sent stays pending.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import { countAttempts, type IsCounted } from './day-attempts.ts';
import type { DueRules } from './due.ts';
import { dueInMs } from './due.ts';
import type { Grant } from './grant.ts';
import { recountLocked } from './late-truth.ts';
import { afterProgress } from './poison.ts';
import { countDeliveries, lockChunk, moveCounters, type Recount, requeueChunk } from './recount.ts';
import { chunkStates, type StateCounts } from './states.ts';
import { doubtAttempts } from './takeover.ts';

export interface EndedGrant {
  /** False when the chunk was no longer ours: someone took it over; what came late was counted all the same. */
  readonly wasOurs: boolean;
  /** The chunk's counts before and after, when it was. */
  readonly moved?: { readonly before: StateCounts; readonly counts: StateCounts };
}

export interface EndGrantOptions {
  readonly owner: string;
  /** Hold the rest of the chunk back this long, ms. */
  readonly holdMs?: number;
  /** Hold the whole lane back this long, ms: the destination can't be reached or has no token. */
  readonly laneHoldMs?: number;
  readonly rules: DueRules;
  /** Default: none is. */
  readonly isCounted?: IsCounted | undefined;
}

export function endGrant(db: Database, grant: Grant, options: EndGrantOptions): Promise<EndedGrant> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, grant);
    const isOurs =
      chunk?.epoch === grant.epoch && chunk.owner === options.owner && chunk.state === chunkStates.leased;
    if (!chunk) return { wasOurs: false };
    if (!isOurs) {
      await recountLocked(tx, grant, chunk, options.rules);
      return { wasOurs: false };
    }
    const { counts, nextAttemptInMs } = await countSettled(tx, grant);
    await moveCounters(tx, grant, chunk.counts, counts);
    const { holdMs = 0, laneHoldMs = 0 } = options;
    await requeueChunk(tx, grant, chunk, {
      counts,
      dueInMs: dueInMs({ counts, nextAttemptInMs, holdMs, chunkNo: grant.chunkNo }, options.rules),
      epoch: chunk.epoch,
      crashes: afterProgress(chunk.crashes),
      laneHoldMs,
    });
    if (options.isCounted?.(chunk.destinationId)) await countAttempts(tx, grant, chunk.destinationId);
    return { wasOurs: true, moved: { before: chunk.counts, counts } };
  });
}

/** Every attempt has its result by now. One that has none would be lost: nothing looks for it in a chunk that is not leased. */
async function countSettled(tx: Sql, grant: Grant): Promise<Recount> {
  const recount = await countDeliveries(tx, grant);
  if (recount.counts.attempting === 0) return recount;
  await doubtAttempts(tx, grant, 'its grant ended without a result');
  return countDeliveries(tx, grant);
}
