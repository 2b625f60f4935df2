/** Destinations and what holds at each, in memory; read anew when their transport was edited. */
import { LRUCache } from 'lru-cache';
import type { DestinationLimits } from '../pacing/pace.ts';
import type { Sql } from '../platform/mysql.ts';
import { destinationLimitsOf } from '../transports/destination-limits.ts';
import { readDestinations, type StoredDestination } from './destination-store.ts';
import { readTransportVersions } from './transport-store.ts';

export interface KnownDestination {
  /** Undefined: there is none, or its transport is gone. */
  readonly destination: StoredDestination | undefined;
  readonly limits: DestinationLimits;
}

const mostDestinations = 50_000;
const idsPerQuery = 500;

export class KnownDestinations {
  readonly #db: Sql;
  readonly #known = new LRUCache<number, KnownDestination>({ max: mostDestinations });
  readonly #asked = new Set<number>();

  constructor(db: Sql) {
    this.#db = db;
  }

  /** Undefined: not known yet; the next refresh reads it. */
  get(id: number): KnownDestination | undefined {
    const entry = this.#known.get(id);
    if (!entry) this.#asked.add(id);
    return entry;
  }

  stored(): readonly StoredDestination[] {
    return [...this.#known.values()].flatMap(({ destination }) => (destination ? [destination] : []));
  }

  /** Reads those that aren't known yet, and all that have changed. */
  async refresh(ids: readonly number[] = [...this.#asked]): Promise<void> {
    const fresh = ids.filter((id) => !this.#known.has(id));
    const changed = await this.#findChanged();
    for (const some of inBatches([...fresh, ...changed])) await this.#read(some);
    for (const id of this.#asked) if (this.#known.has(id)) this.#asked.delete(id);
  }

  async #findChanged(): Promise<readonly number[]> {
    const changed: number[] = [];
    for (const some of inBatches(this.stored())) {
      const versions = await readTransportVersions(this.#db, [
        ...new Set(some.map((one) => one.transportId)),
      ]);
      const edited = some.filter(({ transportId, version }) => versions.get(transportId) !== version);
      changed.push(...edited.map(({ id }) => id));
    }
    return changed;
  }

  async #read(ids: readonly number[]): Promise<void> {
    const found = await readDestinations(this.#db, ids);
    for (const id of ids) this.#known.set(id, toKnown(found.get(id)));
  }
}

function toKnown(destination: StoredDestination | undefined): KnownDestination {
  if (!destination) return { destination, limits: {} };
  const { limits, mode, name } = destination;
  return { destination, limits: destinationLimitsOf(limits, mode, name) };
}

function* inBatches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += idsPerQuery) yield all.slice(at, at + idsPerQuery);
}
