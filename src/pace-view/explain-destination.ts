/** What holds back a campaign's messages at one destination. Pure. */
import type { Pace } from '../pacing/pace.ts';
import { type DestinationFacts, mostOtherLanes, type SenderPauseFacts } from './campaign-facts.ts';
import { limitOf, rateLimitOf } from './destination-status.ts';
import type { Finding } from './finding.ts';
import { count, inTime } from './words.ts';

/** Below one in two minutes a measured rate foretells nothing. */
const leastPerSecond = 1 / 120;

type Part = Pick<Finding, 'rule' | 'weight' | 'detail' | 'pending' | 'seconds'>;

export function explainDestination(facts: DestinationFacts, untilMidnightMs: number): readonly Finding[] {
  const { id, name } = facts;
  const parts = [
    ...(facts.ready > 0 ? [explainReady(facts, untilMidnightMs)] : []),
    ...(facts.retrying > 0 ? [explainRetries(facts)] : []),
    ...(facts.ready > 0 && facts.otherLanes > 0 ? [explainShare(facts)] : []),
  ];
  return parts.map((part) => ({ ...part, destination: { id, name } }));
}

function explainReady(facts: DestinationFacts, untilMidnightMs: number): Part {
  const { ready, senderPause, status } = facts;
  if (senderPause) return explainPause(senderPause, ready);
  if (!status.pace) return explainUnknown(ready);
  return explainPace(facts, status.pace, untilMidnightMs);
}

function explainPause({ domain, endsInMs, reply }: SenderPauseFacts, pending: number): Part {
  return {
    ...{ rule: 'sender_pause', weight: 'stop', pending, seconds: endsInMs / 1_000 },
    detail: `It refuses mail from ${domain}: nothing is sent to it before the pause ends ${inTime(endsInMs)}. It said: ${reply}`,
  };
}

function explainUnknown(pending: number): Part {
  return {
    ...{ rule: 'unknown', weight: 'note', pending },
    detail:
      'Its pace is not known: nothing was sent to it for an hour, no dispatcher has led yet, or Redis is away.',
  };
}

function explainPace({ ready, status }: DestinationFacts, pace: Pace, untilMidnightMs: number): Part {
  const { limitedBy: rule } = pace;
  const detail = limitOf(status).reason ?? '';
  const part = { rule, detail, pending: ready };
  if (rule === 'breaker' || rule === 'rest')
    return { ...part, weight: 'stop', seconds: pace.closedForMs / 1_000 };
  if (rule === 'quota') return { ...part, ...quotaOf(status.today.left ?? 0, ready, untilMidnightMs) };
  if (rule === 'growing') return { ...part, weight: 'note' };
  const perSecond = perSecondOf(rule, pace, rateLimitOf(status)?.perSecond);
  const weight = rule === 'none' ? 'note' : 'limit';
  return perSecond >= leastPerSecond ? { ...part, weight, seconds: ready / perSecond } : { ...part, weight };
}

function quotaOf(
  left: number,
  ready: number,
  untilMidnightMs: number,
): Pick<Part, 'weight'> & { seconds?: number } {
  const weight = left > 0 ? 'limit' : 'stop';
  return ready > left ? { weight, seconds: untilMidnightMs / 1_000 } : { weight };
}

/** A rate that holds is what it may do; else what it did just now is what it can do. */
function perSecondOf(rule: Pace['limitedBy'], pace: Pace, limit: number | undefined): number {
  const isRate = rule === 'learnt_rate' || rule === 'configured_rate';
  return isRate && limit !== undefined ? limit : pace.measuredPerSecond;
}

function explainRetries({ retrying, retryInMs }: DestinationFacts): Part {
  return {
    ...{ rule: 'retries', weight: 'limit', pending: retrying, seconds: Math.max(0, retryInMs / 1_000) },
    detail:
      retrying === 1
        ? `1 message was deferred and waits for its next attempt: it is due ${inTime(retryInMs)}.`
        : `${count(retrying)} were deferred and wait for their next attempt: the first is due ${inTime(retryInMs)}.`,
  };
}

/** How many others, not who: a lane is a tenant's, of one class. */
function explainShare({ ready, otherLanes }: DestinationFacts): Part {
  const others = otherLanes >= mostOtherLanes ? `${mostOtherLanes} or more other lanes` : lanesOf(otherLanes);
  return {
    ...{ rule: 'shared', weight: 'note', pending: ready },
    detail: `Other senders use it at the same time: ${others} of theirs have mail due there, and each has its share.`,
  };
}

function lanesOf(lanes: number): string {
  return lanes === 1 ? 'one other lane' : `${lanes} other lanes`;
}
