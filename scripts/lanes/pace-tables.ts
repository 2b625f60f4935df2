/** The tables of destinations and lanes. Pure. */
import { inTime, perSecond, shortCount } from './figures.ts';
import { type Column, formatTable } from './text-table.ts';

/** As much of the API's documents as is shown. */
interface Backlog {
  readonly messages: number;
  readonly fresh: number;
  readonly retry: number;
  readonly is_estimate: boolean;
}

interface Place {
  readonly name: string;
  readonly transport: { readonly name: string };
}

export interface ShownDestination extends Place {
  readonly backlog: Backlog;
  readonly outstanding: number;
  readonly pace: {
    readonly window: number;
    readonly measured_per_second: number;
    readonly in_flight: number;
    readonly connections: number;
    readonly breaker: string;
  } | null;
  readonly rate_limit: { readonly per_second: number; readonly source: string } | null;
  readonly limited_by: string | null;
  readonly reason: string | null;
  readonly next_attempt_at: string | null;
}

export interface ShownLane {
  readonly destination: Place;
  readonly class: string;
  readonly backlog: Backlog;
  readonly outstanding: number;
  readonly next_attempt_at: string | null;
  readonly weight: number;
  readonly limited_by: string | null;
  readonly reason: string | null;
}

export interface TableOptions {
  readonly nowMs: number;
  readonly width?: number | undefined;
}

export function formatDestinations(
  destinations: readonly ShownDestination[],
  { nowMs, width }: TableOptions,
): readonly string[] {
  const columns: readonly Column<ShownDestination>[] = [
    { head: 'TRANSPORT', text: ({ transport }) => transport.name },
    { head: 'DESTINATION', text: ({ name }) => name },
    figure('BACKLOG', ({ backlog }) => shortCount(backlog.messages, backlog.is_estimate)),
    figure('OUT', ({ outstanding }) => shortCount(outstanding)),
    figure('WINDOW', ({ pace }) => (pace ? shortCount(pace.window) : '-')),
    figure('RATE', ({ pace }) => perSecond(pace?.measured_per_second)),
    figure('LIMIT', ({ rate_limit: limit }) => (limit ? perSecond(limit.per_second) : '-')),
    figure('IN FLIGHT', ({ pace }) => (pace ? shortCount(pace.in_flight) : '-')),
    figure('CONN', ({ pace }) => (pace ? String(pace.connections) : '-')),
    { head: 'BREAKER', text: ({ pace }) => pace?.breaker ?? '-' },
    figure('NEXT', (one) => inTime(one.next_attempt_at, nowMs)),
    { head: 'WHY', text: whyOf },
  ];
  return formatTable(columns, byBacklog(destinations), width);
}

export function formatLanes(lanes: readonly ShownLane[], { nowMs, width }: TableOptions): readonly string[] {
  const columns: readonly Column<ShownLane>[] = [
    { head: 'TRANSPORT', text: ({ destination }) => destination.transport.name },
    { head: 'DESTINATION', text: ({ destination }) => destination.name },
    { head: 'CLASS', text: (lane) => lane.class },
    figure('FRESH', ({ backlog }) => shortCount(backlog.fresh, backlog.is_estimate)),
    figure('RETRY', ({ backlog }) => shortCount(backlog.retry, backlog.is_estimate)),
    figure('OUT', ({ outstanding }) => shortCount(outstanding)),
    figure('WEIGHT', ({ weight }) => String(weight)),
    figure('NEXT', (lane) => inTime(lane.next_attempt_at, nowMs)),
    { head: 'WHY', text: whyOf },
  ];
  return formatTable(columns, byBacklog(lanes), width);
}

function figure<T>(head: string, text: (row: T) => string): Column<T> {
  return { head, text, isFigure: true };
}

function whyOf({
  limited_by: rule,
  reason,
}: {
  readonly limited_by: string | null;
  readonly reason: string | null;
}) {
  return rule === null ? 'pace not known' : `${rule}: ${reason ?? ''}`;
}

/** What has most waiting comes first; what has nothing keeps its order. */
function byBacklog<T extends { readonly backlog: Backlog; readonly outstanding: number }>(
  rows: readonly T[],
): readonly T[] {
  const workOf = ({ backlog, outstanding }: T) => backlog.messages + outstanding;
  return [...rows].sort((a, b) => workOf(b) - workOf(a));
}
