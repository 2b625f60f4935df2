/** A destination's state out of what the leader before published of it, and the other way round. Pure. */
import type { Breaker } from './breaker.ts';
import { coldState, paceOf } from './learn.ts';
import { type LearntRate, smallestPerSecond } from './learn-rate.ts';
import type { DestinationLimits, Pace } from './pace.ts';
import type { PublishedPace } from './pace-coding.ts';
import type { PaceState } from './pace-state.ts';

export function toPublished(state: PaceState, nowMs: number): PublishedPace {
  const { rate, breaker, window } = state;
  return {
    pace: paceOf(state, nowMs),
    memory: {
      windowMessages: window.messages,
      ceilingPerSecond: rate?.ceilingPerSecond,
      throttledAgoMs: rate && Math.max(0, nowMs - rate.throttledAtMs),
      openings: breaker.kind === 'closed' ? undefined : breaker.openings,
    },
  };
}

/** Nothing published: cold. */
export function adopt(
  published: PublishedPace | undefined,
  { nowMs, limits, ceiling }: { nowMs: number; limits: DestinationLimits; ceiling: number },
): PaceState {
  const cold = coldState(nowMs, limits, ceiling);
  if (!published) return cold;
  const { pace, memory } = published;
  return {
    ...cold,
    window: { ...cold.window, messages: Math.max(1, memory.windowMessages) },
    rate: rateOf(published, nowMs),
    breaker: breakerOf(pace, memory.openings ?? 0, nowMs),
    lastReplies: pace.lastReplies,
    windowMessages: pace.windowMessages,
    limitedBy: pace.limitedBy,
  };
}

function rateOf({ pace, memory }: PublishedPace, nowMs: number): LearntRate | undefined {
  if (pace.learntPerSecond === undefined) return undefined;
  const perSecond = Math.max(smallestPerSecond, pace.learntPerSecond);
  const throttledAtMs = nowMs - (memory.throttledAgoMs ?? 0);
  const ceilingPerSecond = memory.ceilingPerSecond ?? perSecond;
  return {
    perSecond,
    ceilingPerSecond,
    firstCeilingPerSecond: ceilingPerSecond,
    heldUntilMs: nowMs,
    throttledAtMs,
    cutAtMs: throttledAtMs,
    closedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** A pause whose time has passed goes on with its probe. */
function breakerOf(pace: Pace, openings: number, nowMs: number): Breaker {
  if (pace.breaker === 'closed') return { kind: 'closed', failures: 0 };
  const reason = pace.limitedBy === 'rest' ? 'rest' : 'breaker';
  return { kind: 'open', untilMs: nowMs + pace.closedForMs, openings, reason };
}
