/**
 * What owners have set up in the database, in memory: read anew when its stamp there differs. While MySQL is away, what was read last stands.
 * The stamp is read before what it stands for: what changes in between is read anew at the next refresh.
 */
import { LRUCache } from 'lru-cache';

export interface StampedCacheOptions<K extends number, V extends object> {
  /** Most owners in memory. */
  readonly max: number;
  /** Owners that were not asked for so long are no longer looked after. Default: never. */
  readonly forgetAfterMs?: number;
  /** A text for each owner that has anything; it differs when any of it does. */
  readonly readStamps: (owners: readonly K[]) => Promise<ReadonlyMap<K, string>>;
  readonly read: (owner: K) => Promise<V>;
}

interface Entry<V> {
  readonly stamp: string;
  readonly value: V;
}

const ownersPerQuery = 500;

export class StampedCache<K extends number, V extends object> {
  readonly #options: StampedCacheOptions<K, V>;
  readonly #known: LRUCache<K, Entry<V>>;
  readonly #loading = new Map<K, Promise<V>>();

  constructor(options: StampedCacheOptions<K, V>) {
    const { max, forgetAfterMs } = options;
    this.#options = options;
    this.#known = new LRUCache({
      max,
      ...(forgetAfterMs !== undefined && { ttl: forgetAfterMs, updateAgeOnGet: true }),
    });
  }

  /** As known now; undefined: not loaded, or forgotten. */
  get(owner: K): V | undefined {
    return this.#known.get(owner)?.value;
  }

  /** As known, else read now, once for all who ask. Rejects when it isn't known and MySQL is away. */
  async load(owner: K): Promise<V> {
    const known = this.get(owner);
    if (known) return known;
    const coming = this.#loading.get(owner) ?? this.#readFirst(owner);
    this.#loading.set(owner, coming);
    return coming;
  }

  /** Looks for changes of all that is known. */
  async refresh(): Promise<void> {
    const owners = [...this.#known.keys()];
    for (let at = 0; at < owners.length; at += ownersPerQuery)
      await this.#refreshSome(owners.slice(at, at + ownersPerQuery));
  }

  async #readFirst(owner: K): Promise<V> {
    try {
      return await this.#read(owner, stampOf(await this.#options.readStamps([owner]), owner));
    } finally {
      this.#loading.delete(owner);
    }
  }

  async #refreshSome(owners: readonly K[]): Promise<void> {
    const stamps = await this.#options.readStamps(owners);
    for (const owner of owners) {
      const stamp = stampOf(stamps, owner);
      if (this.#known.peek(owner)?.stamp !== stamp) await this.#read(owner, stamp);
    }
  }

  async #read(owner: K, stamp: string): Promise<V> {
    const value = await this.#options.read(owner);
    this.#known.set(owner, { stamp, value });
    return value;
  }
}

function stampOf<K>(stamps: ReadonlyMap<K, string>, owner: K): string {
  return stamps.get(owner) ?? 'none';
}
