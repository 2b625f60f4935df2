/** Gathers what the pools' sizes are decided from: a few bounded reads and what the leader knows of paces anyway. */
import type { DestinationLimits, Pace } from '../pacing/pace.ts';
import type { Sql } from '../platform/mysql.ts';
import { readDestinations } from '../transport-settings/destination-store.ts';
import { allowedPerSecond } from './allowed-rate.ts';
import type { ScalingFacts } from './decide-pools.ts';
import {
  type OutstandingOf,
  readDestinationsOf,
  readDueDestinations,
  readDueWork,
  readLiveProcesses,
  readOutstandingWork,
  readTransportRates,
  readUpcoming,
} from './scaling-store.ts';
import { type DestinationWork, sendableMessages } from './sendable-work.ts';

export interface ScalingSources {
  readonly db: Sql;
  readonly paceOf: (destinationId: number) => Pace;
  /** As the API reads them (`readPaces`). */
  readonly publishedPaces: (destinationIds: readonly number[]) => Promise<ReadonlyMap<number, Pace>>;
  /** All that are known. */
  readonly paces: () => Iterable<Pace>;
  readonly limitsOf: (destinationId: number) => DestinationLimits;
  readonly drainSeconds: number;
  /** How far the schedule is looked ahead. */
  readonly aheadSeconds: number;
}

const idsPerQuery = 500;
const nothing = { dispatched: 0, leased: 0, beyond: 0 };

export async function readScalingFacts(sources: ScalingSources): Promise<ScalingFacts> {
  const { db, drainSeconds, paces } = sources;
  const outstanding = await readOutstandingWork(db);
  const processes = await readLiveProcesses(db);
  const countOf = (role: string) => processes.get(role) ?? 0;
  const all = [...processes.values()].reduce((sum, n) => sum + n, 0);
  const works = await readWorks(sources, new Map(outstanding.map((one) => [one.destinationId, one])));
  return {
    sendableMessages: sendableMessages(works, drainSeconds),
    upcomingMessages: await readUpcomingMessages(sources),
    answeredPerSecond: sumOf([...paces()], ({ measuredPerSecond }) => measuredPerSecond),
    held: {
      render: sumOf(outstanding, ({ dispatched }) => dispatched),
      send: sumOf(outstanding, ({ leased }) => leased),
    },
    live: { render: countOf('render') + countOf('all'), send: countOf('send') + countOf('all') },
    otherProcesses: all - countOf('render') - countOf('send') - countOf('all'),
  };
}

/** Of closed destinations no row is read. */
async function readWorks(
  { db, paceOf, limitsOf }: ScalingSources,
  outstanding: ReadonlyMap<number, OutstandingOf>,
): Promise<readonly DestinationWork[]> {
  const ids = [...new Set([...(await readDueDestinations(db)), ...outstanding.keys()])];
  const open = ids
    .map((id) => ({ id, limits: limitsOf(id), rate: allowedPerSecond(paceOf(id), limitsOf(id)) }))
    .filter(({ rate }) => rate > 0);
  const openIds = open.map(({ id }) => id);
  const transports = await readTransports(db, openIds);
  const due = await readDueWork(db, openIds);
  return open.map(({ id, limits, rate }) => {
    const { dispatched, leased, beyond } = outstanding.get(id) ?? nothing;
    return {
      destinationId: id,
      transportId: transports.get(id)?.id ?? 0,
      due: [...(due.get(id) ?? []), { messages: beyond }],
      outstanding: dispatched + leased,
      allowedPerSecond: rate,
      transportPerSecond: transports.get(id)?.perSecond ?? Infinity,
      quotaLeft: limits.perDay ?? Infinity,
    };
  });
}

async function readTransports(db: Sql, destinationIds: readonly number[]) {
  const found = new Map<number, { readonly id: number; readonly perSecond: number | undefined }>();
  for (let at = 0; at < destinationIds.length; at += idsPerQuery) {
    const rows = await readDestinations(db, destinationIds.slice(at, at + idsPerQuery));
    for (const { id, transportId, limits } of rows.values())
      found.set(id, { id: transportId, perSecond: limits.perSecond });
  }
  return found;
}

/** No more than their transports are allowed, or have learnt that their destinations put up with. */
async function readUpcomingMessages(sources: ScalingSources): Promise<number> {
  const { db, aheadSeconds, drainSeconds } = sources;
  const upcoming = await readUpcoming(db, aheadSeconds, drainSeconds);
  const transportIds = upcoming.map(({ transportId }) => transportId);
  const configured = await readTransportRates(db, transportIds);
  const learnt = await readLearntRates(sources, transportIds);
  return sumOf(upcoming, ({ transportId, messages }) => {
    const rate = Math.min(configured.get(transportId) ?? Infinity, learnt.get(transportId) ?? Infinity);
    return Math.min(messages, rate * drainSeconds);
  });
}

/**
 * Over all destinations of each transport, as published: to ask the leader's own paces would take up those that have nothing to do. One that never asked for less,
 * or long ago, takes anything.
 */
async function readLearntRates(
  { db, publishedPaces }: ScalingSources,
  transportIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const destinations = await readDestinationsOf(db, transportIds);
  const known = await publishedPaces(destinations.map(({ id }) => id));
  const rates = new Map<number, number>();
  for (const { id, transportId } of destinations)
    rates.set(transportId, (rates.get(transportId) ?? 0) + (known.get(id)?.learntPerSecond ?? Infinity));
  return rates;
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
