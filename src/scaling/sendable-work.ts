/**
 * Of all that waits, the messages that could leave within the target drain time: the sendable backlog. Pure.
 *
 * Lane and campaign limits are in what is counted as due already: the dispatcher puts off what may not go (paused campaigns, resting senders, rates of campaigns).
 * What is left are rates and quotas: of destinations, of transports over their destinations, of tenants over all of theirs. Each bound is taken alone and the least
 * counts, which may be a little too much and grows with the backlog always.
 */
import { groupBy } from '../platform/group-by.ts';

/** Of one tenant with a rate of its own, or of all others together. */
export interface TenantWork {
  readonly messages: number;
  readonly tenantId?: number | undefined;
  readonly perSecond?: number | undefined;
}

export interface DestinationWork {
  readonly destinationId: number;
  readonly transportId: number;
  /** Pending and due. */
  readonly due: readonly TenantWork[];
  /** Dispatched and not settled. */
  readonly outstanding: number;
  /** `allowedPerSecond`. */
  readonly allowedPerSecond: number;
  /** Of its transport, over all its destinations. */
  readonly transportPerSecond: number;
  /** What is left of the day's quotas. */
  readonly quotaLeft: number;
}

export function sendableMessages(works: readonly DestinationWork[], drainSeconds: number): number {
  const byTransport = [...groupBy(works, ({ transportId }) => transportId).values()];
  const byDestinations = sumOf(byTransport, (some) => ofTransport(some, drainSeconds));
  return Math.min(byDestinations, byTenants(works, drainSeconds));
}

function ofTransport(works: readonly DestinationWork[], drainSeconds: number): number {
  const [first] = works;
  const most = (first?.transportPerSecond ?? 0) * drainSeconds;
  return Math.min(
    most,
    sumOf(works, (work) => ofDestination(work, drainSeconds)),
  );
}

function ofDestination(work: DestinationWork, drainSeconds: number): number {
  const due = sumOf(work.due, ({ messages, perSecond = Infinity }) =>
    Math.min(messages, perSecond * drainSeconds),
  );
  return Math.min(due + work.outstanding, mostOf(work, drainSeconds));
}

/** Each tenant's rate holds for all its destinations together. */
function byTenants(works: readonly DestinationWork[], drainSeconds: number): number {
  const limited = new Map<number, { messages: number; most: number }>();
  let others = 0;
  for (const work of works) {
    const most = mostOf(work, drainSeconds);
    let free = work.outstanding;
    for (const { tenantId, perSecond, messages } of work.due) {
      if (tenantId === undefined || perSecond === undefined) free += messages;
      else add(limited, tenantId, Math.min(messages, most), perSecond * drainSeconds);
    }
    others += Math.min(free, most);
  }
  return others + sumOf([...limited.values()], ({ messages, most }) => Math.min(messages, most));
}

function add(
  limited: Map<number, { messages: number; most: number }>,
  tenantId: number,
  messages: number,
  most: number,
): void {
  const before = limited.get(tenantId)?.messages ?? 0;
  limited.set(tenantId, { messages: before + messages, most });
}

/** Nothing allowed is nothing, whatever the time. */
function mostOf({ allowedPerSecond, quotaLeft }: DestinationWork, drainSeconds: number): number {
  return Math.min(allowedPerSecond * drainSeconds, quotaLeft);
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
