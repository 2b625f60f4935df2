/**
 * What is left of the day's quotas, as most messages that each destination may have outstanding. Pure.
 *
 * A quota of the transport holds over all its destinations together: what neither was attempted nor is outstanding is divided evenly among them, on top of
 * what each has. So the sum stays within the quota whatever each does with its part, and what one leaves is divided anew the next time.
 */
import { groupBy } from '../platform/group-by.ts';
import type { DayQuotas } from '../transports/destination-limits.ts';

export interface QuotaUser {
  readonly id: number;
  readonly transportId: number;
  readonly outstanding: number;
  readonly quotas: DayQuotas;
}

/** `attempts` of the day by destination, those that aren't among `users` too, each with its transport. */
export interface DayAttempts {
  readonly destinationId: number;
  readonly transportId: number;
  readonly attempts: number;
}

export function shareQuotas(
  users: readonly QuotaUser[],
  attempts: readonly DayAttempts[],
): ReadonlyMap<number, number> {
  const attempted = new Map(attempts.map((one) => [one.destinationId, one.attempts]));
  const left = new Map<number, number>();
  for (const [transportId, group] of groupBy(users, (user) => user.transportId)) {
    const ofTransport = attempts.filter((one) => one.transportId === transportId);
    const spent = ofTransport.reduce((sum, one) => sum + one.attempts, 0);
    for (const [at, user] of group.entries()) {
      const own = minus(user.quotas.destination, attempted.get(user.id) ?? 0);
      const shared = partOf(minus(user.quotas.transport, spent), group, at);
      const least = Math.min(own ?? Number.POSITIVE_INFINITY, shared ?? Number.POSITIVE_INFINITY);
      if (Number.isFinite(least)) left.set(user.id, least);
    }
  }
  return left;
}

/** The first ones get what doesn't divide. */
function partOf(left: number | undefined, group: readonly QuotaUser[], at: number): number | undefined {
  if (left === undefined) return undefined;
  const outstanding = group.reduce((sum, user) => sum + user.outstanding, 0);
  const free = Math.max(0, left - outstanding);
  const part = Math.floor(free / group.length) + (at < free % group.length ? 1 : 0);
  return (group[at]?.outstanding ?? 0) + part;
}

function minus(quota: number | undefined, spent: number): number | undefined {
  return quota === undefined ? undefined : Math.max(0, quota - spent);
}
