/**
 * Whether a destination may be tried at all. Pure.
 *
 * Five connections in a row that could not be opened, fleet-wide, open the breaker; so does a wish to be left alone. When its time is over, one message
 * tries: its success closes the breaker, its failure opens it again for twice as long. Full jitter, so that the destinations of
 * one provider don't all come back at the same moment.
 */

export type Breaker =
  | { readonly kind: 'closed'; readonly failures: number }
  | {
      readonly kind: 'open';
      readonly untilMs: number;
      readonly openings: number;
      readonly reason: 'breaker' | 'rest';
    }
  | {
      readonly kind: 'half_open';
      readonly sinceMs: number;
      readonly openings: number;
      /** The window: one message, and one more than are stuck for each minute without news of a probe. */
      readonly messages: number;
    };

export interface BreakerEvidence {
  readonly nowMs: number;
  /** Messages answered, whatever the answer, and connections opened. */
  readonly answered: number;
  readonly opened: number;
  readonly openFailures: number;
  readonly timedOut: number;
  readonly restMs: number;
  readonly outstanding: number;
  /** 0 to 1. */
  readonly random: number;
}

export const closedBreaker: Breaker = { kind: 'closed', failures: 0 };
const longestRestMs = 86_400_000;
const failuresToOpen = 5;
const firstOpenMs = 15_000;
const longestOpenMs = 600_000;
/** Full jitter would now and then be no pause at all. */
const shortestOpenMs = 1_000;
/** A probe that was lost (its worker died, its grant ended) is followed by another. */
const probeMs = 60_000;

export function moveBreaker(breaker: Breaker, evidence: BreakerEvidence): Breaker {
  if (evidence.restMs > 0) return rest(breaker, evidence);
  if (breaker.kind === 'closed') return count(breaker, evidence);
  if (breaker.kind === 'half_open') return judgeProbe(breaker, evidence);
  if (evidence.nowMs < breaker.untilMs) return breaker;
  return { kind: 'half_open', sinceMs: evidence.nowMs, openings: breaker.openings, messages: 1 };
}

/** The longer of two rests, but never more than a day: a wish that is wrong must end by itself. */
function rest(breaker: Breaker, { nowMs, restMs }: BreakerEvidence): Breaker {
  const untilMs = nowMs + Math.min(restMs, longestRestMs);
  const openings = breaker.kind === 'closed' ? 0 : breaker.openings;
  if (breaker.kind === 'open' && breaker.untilMs > untilMs) return { ...breaker, reason: 'rest' };
  return { kind: 'open', untilMs, openings, reason: 'rest' };
}

/** Within one report the order is not known: any success in it counts as the last. */
function count(breaker: Breaker & { kind: 'closed' }, evidence: BreakerEvidence): Breaker {
  if (evidence.opened + evidence.answered > 0) return closedBreaker;
  const failures = breaker.failures + evidence.openFailures;
  if (failures < failuresToOpen) return failures === breaker.failures ? breaker : { ...breaker, failures };
  return open(0, evidence);
}

/** An answer of any kind shows that it lives; what it says of pace is learnt elsewhere. */
function judgeProbe(breaker: Breaker & { kind: 'half_open' }, evidence: BreakerEvidence): Breaker {
  if (evidence.answered > 0) return closedBreaker;
  if (evidence.openFailures + evidence.timedOut > 0) return open(breaker.openings + 1, evidence);
  if (evidence.nowMs - breaker.sinceMs < probeMs) return breaker;
  return { ...breaker, sinceMs: evidence.nowMs, messages: evidence.outstanding + 1 };
}

function open(openings: number, { nowMs, random }: BreakerEvidence): Breaker {
  const longestMs = Math.min(longestOpenMs, firstOpenMs * 2 ** Math.min(openings, 16));
  const untilMs = nowMs + Math.max(shortestOpenMs, random * longestMs);
  return { kind: 'open', untilMs, openings, reason: 'breaker' };
}
