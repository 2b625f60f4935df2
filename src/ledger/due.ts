/** When a chunk that goes back to pending is due again. Pure. */
import type { StateCounts } from './states.ts';

export interface DueRules {
  /**
   * Retries are rounded up to this, ms, so that the deferred rows of a chunk gather into one grant instead of one each
   * (DESIGN 4a: 30 s; tests and the demo set less).
   */
  readonly retryStepMs: number;
}

export interface DueInput {
  readonly counts: StateCounts;
  /** ms until the earliest deferred row may be tried again; null when there is none. */
  readonly nextAttemptInMs: number | null;
  /** ms for which nothing of the chunk may be dispatched. */
  readonly holdMs: number;
}

/** ms until due; null when no row of it can be dispatched (all settled, or in doubt until that is settled). */
export function dueInMs(
  { counts, nextAttemptInMs, holdMs }: DueInput,
  { retryStepMs }: DueRules,
): number | null {
  if (counts.pending > 0) return holdMs;
  if (counts.deferred === 0 || nextAttemptInMs === null) return null;
  const stepped = Math.ceil(Math.max(nextAttemptInMs, 0) / retryStepMs) * retryStepMs;
  return Math.max(stepped, holdMs);
}
