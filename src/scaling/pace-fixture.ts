/** Paces as tests want them. */
import type { Pace } from '../pacing/pace.ts';

export type PaceChanges = Partial<Pace>;

export function paceWith(changes: PaceChanges): Pace {
  return {
    ...{
      windowMessages: 300,
      learntPerSecond: undefined,
      measuredPerSecond: 100,
      breaker: 'closed',
      closedForMs: 0,
    },
    ...{ limitedBy: 'none', inFlight: 12, connections: 3, lastReplies: [] },
    ...changes,
  };
}
