/**
 * What holds at each destination, for those who ask many times a second: in memory, looked at each second. A changed limit holds within two seconds;
 * while MySQL is away, the last ones stand.
 *
 * `perDay` is what may be outstanding now without exceeding the day's quotas. To be exact it has to be no older than what the asker knows to be
 * outstanding: a grant that ends moves from outstanding to attempted, and must not be missed in both. So the dispatcher reads its outstanding work,
 * calls `refreshQuotas` with it, and then asks.
 */
import { LRUCache } from 'lru-cache';
import type { DestinationLimits } from '../pacing/pace.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';
import { destinationLimitsOf, hasDayQuota, quotasOf } from '../transports/destination-limits.ts';
import { readDayAttempts, readDestinations, type StoredDestination } from './destination-store.ts';
import { shareQuotas } from './share-quotas.ts';
import { readTransportVersions } from './transport-store.ts';

export interface DestinationLimitsSource extends Lifecycle {
  /** As known now. One that isn't known yet gets nothing until it was read, some ms later. */
  limitsOf(destinationId: number): DestinationLimits;
  /** Whether its attempts count against a quota; yes while it isn't known. */
  isCounted(destinationId: number): boolean;
  /** What is left of quotas, beside what each destination has outstanding. No statement when no known destination has one. */
  refreshQuotas(outstanding: ReadonlyMap<number, number>): Promise<void>;
  /** Reads what isn't known yet, and what has changed. */
  refresh(destinationIds?: readonly number[]): Promise<void>;
}

interface Known {
  readonly destination: StoredDestination | undefined;
  readonly limits: DestinationLimits;
}

const refreshMs = 1_000;
const mostDestinations = 50_000;
const idsPerQuery = 500;
const unknown: DestinationLimits = { perDay: 0 };

export function createDestinationLimitsSource(options: {
  readonly db: Sql;
  readonly log: Log;
}): DestinationLimitsSource {
  const { db, log } = options;
  const known = new LRUCache<number, Known>({ max: mostDestinations });
  const asked = new Set<number>();
  /** What is left as of the last `refreshQuotas`. */
  let perDay: ReadonlyMap<number, number> = new Map();
  /** Of the database. */
  let day = '';
  /** Asked for since then: those that have something to send share a transport's quota. */
  const active = new Set<number>();

  async function readSome(ids: readonly number[]): Promise<void> {
    const found = await readDestinations(db, ids);
    for (const id of ids) known.set(id, toKnown(found.get(id)));
  }

  async function refresh(destinationIds: readonly number[] = [...asked]): Promise<void> {
    const fresh = destinationIds.filter((id) => !known.has(id));
    const changed = await findChanged();
    for (const ids of inBatches([...fresh, ...changed])) await readSome(ids);
    for (const id of asked) if (known.has(id)) asked.delete(id);
  }

  /** Those whose transport was edited since. */
  async function findChanged(): Promise<readonly number[]> {
    const all = [...known.entries()].flatMap(([id, { destination }]) =>
      destination ? [{ id, destination }] : [],
    );
    const changed: number[] = [];
    for (const some of inBatches(all)) {
      const ids = [...new Set(some.map(({ destination }) => destination.transportId))];
      const versions = await readTransportVersions(db, ids);
      changed.push(
        ...some
          .filter(({ destination }) => versions.get(destination.transportId) !== destination.version)
          .map(({ id }) => id),
      );
    }
    return changed;
  }

  async function refreshQuotas(outstanding: ReadonlyMap<number, number>): Promise<void> {
    const counted = [...known.values()].flatMap(({ destination }) =>
      destination && hasDayQuota(destination.limits) ? [destination] : [],
    );
    if (counted.length === 0) return;
    const read = await readDayAttempts(db, [...new Set(counted.map((one) => one.transportId))]);
    day = read.day;
    const users = counted
      .filter(({ id }) => active.has(id) || outstanding.has(id))
      .map((one) => ({ ...one, outstanding: outstanding.get(one.id) ?? 0, quotas: quotasToday(one) }));
    perDay = shareQuotas(users, read.attempts);
    active.clear();
  }

  function quotasToday({ limits, mode, name }: StoredDestination) {
    return quotasOf(limits, mode, name, day);
  }

  /** Today, that is: a warm-up may be over, and a single destination's quota is another's business. */
  function isLimited(destination: StoredDestination): boolean {
    const { destination: own, transport } = quotasToday(destination);
    return day === '' || own !== undefined || transport !== undefined;
  }

  const pass = async () => {
    await refresh();
    return 'idle' as const;
  };
  const loop = createLoop({ name: 'destination-limits', log, idleMs: refreshMs, pass });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    refresh,
    refreshQuotas,
    limitsOf(destinationId) {
      const entry = known.get(destinationId);
      if (!entry) {
        asked.add(destinationId);
        loop.wake();
        return unknown;
      }
      if (!entry.destination || !hasDayQuota(entry.destination.limits)) return entry.limits;
      active.add(destinationId);
      const left = perDay.get(destinationId) ?? (isLimited(entry.destination) ? 0 : undefined);
      return { ...entry.limits, perDay: left };
    },
    isCounted(destinationId) {
      const entry = known.get(destinationId);
      if (!entry) asked.add(destinationId);
      return !entry || (entry.destination !== undefined && hasDayQuota(entry.destination.limits));
    },
  };
}

function toKnown(destination: StoredDestination | undefined): Known {
  if (!destination) return { destination, limits: {} };
  const { limits, mode, name } = destination;
  return { destination, limits: destinationLimitsOf(limits, mode, name) };
}

function* inBatches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += idsPerQuery) yield all.slice(at, at + idsPerQuery);
}
