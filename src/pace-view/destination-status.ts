/** What holds at a destination now: its pace, its limits and its day, and the sentence that says what limits it. Pure. */
import type { DestinationLimits, LimitingRule, Pace } from '../pacing/pace.ts';
import { explain } from '../pacing/pace-reasons.ts';
import { destinationLimitsOf, quotasOf } from '../transports/destination-limits.ts';
import type { Attempts } from './attempts-store.ts';
import type { StoredDestination } from './destination-store.ts';

export interface DayUse {
  /** Null: none were counted, as without a quota. */
  readonly attempts: number | null;
  readonly quota: number | null;
  /** Over all destinations of the transport together. */
  readonly transportAttempts: number | null;
  readonly transportQuota: number | null;
  /** Null: no quota. */
  readonly left: number | null;
}

export interface DestinationStatus {
  /** Undefined: it was idle for long, or nobody can tell while Redis is away. */
  readonly pace: Pace | undefined;
  /** As the dispatcher has them: `perDay` is what is left of today. */
  readonly limits: DestinationLimits;
  readonly today: DayUse;
}

export interface RateLimit {
  readonly perSecond: number;
  /** Learnt from its refusals, or configured by its transport's owner: whichever is less. */
  readonly source: 'learnt' | 'configured';
}

export function toStatus(
  destination: StoredDestination,
  {
    pace,
    attempts,
    day,
  }: { readonly pace: Pace | undefined; readonly attempts: Attempts; readonly day: string },
): DestinationStatus {
  const { limits, mode, name } = destination;
  const today = useOfDay(destination, attempts, day);
  const perDay = today.left ?? undefined;
  return { pace, limits: { ...destinationLimitsOf(limits, mode, name, day), perDay }, today };
}

export function rateLimitOf({ pace, limits }: DestinationStatus): RateLimit | null {
  const learnt = pace?.learntPerSecond ?? Number.POSITIVE_INFINITY;
  const configured = limits.perSecond ?? Number.POSITIVE_INFINITY;
  if (learnt < configured) return { perSecond: learnt, source: 'learnt' };
  return Number.isFinite(configured) ? { perSecond: configured, source: 'configured' } : null;
}

export function limitOf({ pace, limits }: DestinationStatus): {
  readonly limitedBy: LimitingRule | null;
  readonly reason: string | null;
} {
  if (!pace) return { limitedBy: null, reason: null };
  return { limitedBy: pace.limitedBy, reason: explain(pace, limits) };
}

/** When it may be tried: when its breaker or its rest ends; with a quota that is used up, not before the next day (UTC). */
export function opensAtMs({ pace, today }: DestinationStatus, nowMs: number): number {
  const closedUntilMs = nowMs + (pace?.closedForMs ?? 0);
  return today.left === 0 ? Math.max(closedUntilMs, nowMs + untilMidnightMs(nowMs)) : closedUntilMs;
}

const dayMs = 86_400_000;

/** ms until the next day begins, in UTC. */
export function untilMidnightMs(nowMs: number): number {
  return dayMs - (nowMs % dayMs);
}

function useOfDay(destination: StoredDestination, attempts: Attempts, day: string): DayUse {
  const { id, transportId, limits, mode, name } = destination;
  const quotas = quotasOf(limits, mode, name, day);
  const [own, all] = [attempts.byDestination.get(id), attempts.byTransport.get(transportId)];
  const left = [leftOf(quotas.destination, own), leftOf(quotas.transport, all)].filter(
    (n) => n !== undefined,
  );
  return {
    attempts: own ?? null,
    quota: quotas.destination ?? null,
    transportAttempts: all ?? null,
    transportQuota: quotas.transport ?? null,
    left: left.length > 0 ? Math.min(...left) : null,
  };
}

function leftOf(quota: number | undefined, attempts = 0): number | undefined {
  return quota === undefined ? undefined : Math.max(0, quota - attempts);
}
