/** When a chunk that goes back to pending is due again. Pure. */
import type { StateCounts } from './states.ts';

export interface DueRules {
  /**
   * Retries are rounded up to this, ms, so that the deferred rows of a chunk gather into one grant instead of one each
   * (DESIGN 4a: 30 s; tests and the demo set less). Each chunk at a place of its own within the step: a million deferred in one second come back
   * as a smooth flow.
   */
  readonly retryStepMs: number;
}

export interface DueInput {
  readonly counts: StateCounts;
  /** ms until the earliest deferred row may be tried again; null when there is none. */
  readonly nextAttemptInMs: number | null;
  /** ms for which nothing of the chunk may be dispatched. */
  readonly holdMs: number;
  /** Says where in the step its retries are. */
  readonly chunkNo: number;
}

/** ms until due; null when no row of it can be dispatched (all settled, or in doubt until that is settled). */
export function dueInMs(
  { counts, nextAttemptInMs, holdMs, chunkNo }: DueInput,
  { retryStepMs }: DueRules,
): number | null {
  if (counts.pending > 0) return holdMs;
  if (counts.deferred === 0 || nextAttemptInMs === null) return null;
  if (nextAttemptInMs <= 0) return holdMs;
  const place = placeOf(chunkNo) * retryStepMs;
  const stepped = place + Math.ceil((nextAttemptInMs - place) / retryStepMs) * retryStepMs;
  return Math.max(stepped, holdMs);
}

/** Multiples of the golden ratio: whatever run of numbers a lane's chunks have, they lie evenly between 0 and 1. */
function placeOf(chunkNo: number): number {
  return (chunkNo * 0.618_033_988_749_895) % 1;
}
