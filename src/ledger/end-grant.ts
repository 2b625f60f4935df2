/**
 * S5, the end of a grant: the chunk is counted anew and goes back to pending, or is done. Ending one early is the same
 * single update; what was not sent stays pending.
 */
import type { Database } from '../platform/mysql.ts';
import type { DueRules } from './due.ts';
import { dueInMs } from './due.ts';
import type { Grant } from './grant.ts';
import { recountLocked } from './late-truth.ts';
import { countDeliveries, lockChunk, moveCounters, requeueChunk } from './recount.ts';
import { chunkStates, type StateCounts } from './states.ts';

export interface EndedGrant {
  /** False when the chunk was no longer ours: someone took it over; what came late was counted all the same. */
  readonly wasOurs: boolean;
  readonly counts?: StateCounts;
}

export interface EndGrantOptions {
  readonly owner: string;
  /** Hold the rest back this long, ms: the destination can't be reached, has no token, or the campaign is paused. */
  readonly holdMs?: number;
  readonly rules: DueRules;
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
    const { counts, nextAttemptInMs } = await countDeliveries(tx, grant);
    await moveCounters(tx, grant, chunk.counts, counts);
    const wait = dueInMs({ counts, nextAttemptInMs, holdMs: options.holdMs ?? 0 }, options.rules);
    // Progress was made, so earlier crashes say nothing about these messages any more.
    await requeueChunk(tx, grant, chunk, { counts, dueInMs: wait, epoch: chunk.epoch, crashes: 0 });
    return { wasOurs: true, counts };
  });
}
