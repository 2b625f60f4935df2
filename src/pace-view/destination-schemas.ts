/** Destinations as the API shows them. */
import { z } from 'zod';
import { idOut, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import type { DestinationLimits, Pace } from '../pacing/pace.ts';
import type { Backlog } from './backlog-store.ts';
import {
  type DayUse,
  type DestinationStatus,
  limitOf,
  opensAtMs,
  type RateLimit,
  rateLimitOf,
} from './destination-status.ts';
import type { StoredDestination, Viewer } from './destination-store.ts';
import type { DestinationWork } from './destination-work.ts';

export const transportRef = z.object({
  id: idOut('transport'),
  name: z.string(),
  is_platform: z.boolean().meta({ description: "The platform's: other tenants send by it, too" }),
});

export const backlogOut = z
  .object({
    messages: z.int().meta({ description: 'Pending and deferred, dispatched ones not included' }),
    fresh: z.int().meta({ description: 'Of these never tried' }),
    retry: z.int().meta({ description: 'Of these to be tried again' }),
    is_estimate: z.boolean().meta({
      description:
        'True: extrapolated from the first 200 chunks; what is far beyond may not be counted at all',
    }),
  })
  .meta({ id: 'Backlog' });

export const limitedByOut = z
  .enum(['none', 'growing', 'slow', 'learnt_rate', 'configured_rate', 'breaker', 'rest', 'quota', 'ceiling'])
  .nullable()
  .meta({ description: 'What keeps it from going faster, in one word. Null where the pace is not known' });

export const reasonOut = z.string().nullable().meta({
  description: 'The same in a sentence, for people: it may be worded otherwise in a later release',
  example:
    'It asked for less: 42 messages a second is what it puts up with, and that is raised as long as it does.',
});

export const paceOut = z
  .object({
    window: z.int().meta({ description: 'Most messages that may be outstanding; 0: none now' }),
    measured_per_second: z
      .number()
      .meta({ description: 'Messages answered a second, over about two seconds' }),
    in_flight: z.int().meta({ description: 'Messages that send workers hold' }),
    connections: z.int(),
    breaker: z.enum(['closed', 'half_open', 'open']).meta({
      description: '`closed`: open for mail. `open`: nothing is tried. `half_open`: one message tries',
    }),
    closed_for_ms: z.int().meta({ description: 'Until it is tried again; 0: it may be tried' }),
  })
  .nullable()
  .meta({ description: 'Of all tenants together. Null: idle for an hour, or Redis is away' });

const rateLimitOut = z
  .object({
    per_second: z.number(),
    source: z.enum(['learnt', 'configured']).meta({
      description: 'From its refusals, or set by the transport’s owner: whichever is less',
    }),
  })
  .nullable();

const quota = z.int().nullable();
const todayOut = z
  .object({
    attempts: quota.meta({
      description: 'At this destination, of all tenants. Null: not counted, as without a quota',
    }),
    quota: quota.meta({ description: 'Messages a day at this destination' }),
    transport_attempts: quota.meta({ description: 'At all destinations of the transport' }),
    transport_quota: quota.meta({ description: 'The transport’s messages a day, or its warm-up’s' }),
    left: quota.meta({ description: 'Of whichever quota is used up first; null without one' }),
  })
  .meta({ description: 'The day is UTC’s' });

const replyOut = z.object({ code: z.int(), class: z.string(), text: z.string() });

export const destinationOut = z
  .object({
    id: idOut('destination'),
    name: z.string().meta({
      description: 'A mailbox provider, `other-0` to `other-7` for the long tail, or `all`',
      example: 'gmail',
    }),
    transport: transportRef,
    backlog: backlogOut,
    outstanding: z.int().meta({ description: 'Messages dispatched and not yet settled' }),
    pace: paceOut,
    rate_limit: rateLimitOut,
    connection_limit: z.int().nullable().meta({ description: 'Of all send workers together' }),
    limited_by: limitedByOut,
    reason: reasonOut,
    next_attempt_at: timestamp.nullable().meta({
      description:
        'When something of the backlog is tried next: in the past when it waits for its turn. Null: nothing will be due',
    }),
    last_replies: z.array(replyOut).nullable().meta({
      description:
        'The last refusals, newest last, without addresses. Null where they may be another tenant’s: for a transport of the platform’s, but to the admin',
    }),
    today: todayOut,
  })
  .meta({ id: 'Destination' });

export interface ShownDestination {
  readonly destination: StoredDestination;
  readonly status: DestinationStatus;
  readonly work: DestinationWork;
}

export function showDestination(
  { destination, status, work }: ShownDestination,
  { viewer, nowMs }: { readonly viewer: Viewer; readonly nowMs: number },
) {
  const { pace, limits, today } = status;
  const { limitedBy, reason } = limitOf(status);
  const mayBeOthers = destination.isPlatform && viewer !== 'admin';
  return {
    id: formatId('destination', destination.id),
    name: destination.name,
    transport: showTransportRef(destination),
    backlog: showBacklog(work.backlog),
    outstanding: work.outstanding,
    pace: showPace(pace),
    rate_limit: showRateLimit(rateLimitOf(status)),
    connection_limit: connectionsOf(limits),
    limited_by: limitedBy,
    reason,
    next_attempt_at: nextAttemptAt(work.nextDueAt, opensAtMs(status, nowMs)),
    last_replies: mayBeOthers || !pace ? null : pace.lastReplies,
    today: showDay(today),
  };
}

export function showTransportRef({ transportId, transportName, isPlatform }: StoredDestination) {
  return { id: formatId('transport', transportId), name: transportName, is_platform: isPlatform };
}

export function showBacklog({ fresh, retry, isEstimate }: Backlog) {
  return { messages: fresh + retry, fresh, retry, is_estimate: isEstimate };
}

export function showPace(pace: Pace | undefined) {
  if (!pace) return null;
  return {
    window: Math.floor(pace.windowMessages),
    measured_per_second: pace.measuredPerSecond,
    in_flight: pace.inFlight,
    connections: pace.connections,
    breaker: pace.breaker,
    closed_for_ms: Math.ceil(pace.closedForMs),
  };
}

/** A closed destination is not tried before it opens, whatever is due. */
export function nextAttemptAt(nextDueAt: Date | null, openMs: number): Date | null {
  return nextDueAt && new Date(Math.max(nextDueAt.getTime(), openMs));
}

function connectionsOf({ connections }: DestinationLimits): number | null {
  return connections ?? null;
}

function showRateLimit(limit: RateLimit | null) {
  return limit && { per_second: limit.perSecond, source: limit.source };
}

function showDay({ attempts, quota: ownQuota, transportAttempts, transportQuota, left }: DayUse) {
  return {
    ...{ attempts, quota: ownQuota, left },
    transport_attempts: transportAttempts,
    transport_quota: transportQuota,
  };
}
