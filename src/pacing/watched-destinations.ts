/** The destinations a worker sends to, and who says what is held of each. */

export interface Held {
  readonly inFlight: number;
  readonly connections: number;
}

const nothingHeld: Held = { inFlight: 0, connections: 0 };

export class WatchedDestinations {
  readonly #watched = new Map<number, Set<() => Held>>();

  get ids(): readonly number[] {
    return [...this.#watched.keys()];
  }

  /** Those of which there is something in flight or open. */
  get holding(): readonly number[] {
    return this.ids.filter((id) => {
      const { inFlight, connections } = this.heldOf(id);
      return inFlight + connections > 0;
    });
  }

  has(id: number): boolean {
    return this.#watched.has(id);
  }

  /** True when nobody watched it. */
  add(id: number, held: () => Held): boolean {
    const all = this.#watched.get(id);
    if (all) all.add(held);
    else this.#watched.set(id, new Set([held]));
    return !all;
  }

  /** True when nobody watches it any more. */
  remove(id: number, held: () => Held): boolean {
    const all = this.#watched.get(id);
    if (!all?.delete(held) || all.size > 0) return false;
    return this.#watched.delete(id);
  }

  heldOf(id: number): Held {
    let sum = nothingHeld;
    for (const held of this.#watched.get(id) ?? []) {
      const { inFlight, connections } = held();
      sum = { inFlight: sum.inFlight + inFlight, connections: sum.connections + connections };
    }
    return sum;
  }
}
