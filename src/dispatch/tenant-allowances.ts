/** What each tenant may still add in one pass, over all destinations. Pure, but for counting down. */
import type { DestinationDemand } from './demand.ts';
import { heldBy } from './window-room.ts';

/** While others wait, one tenant holds at most this part of the fleet's messages in flight, and always this many. */
const largestPart = 1 / 10;
const alwaysAllowed = 30;

/**
 * The noisy-neighbour rule is a matter of order: tenants beyond it are served with what the others leave, so that nothing stays unused for its sake.
 * A tenant's own limit (`mostOutstanding`) is never passed.
 *
 * What a destination holds beyond its window is not held against its tenants: it hangs there, and they have mail for other destinations.
 */
export class TenantAllowances {
  readonly #held = new Map<number, number>();
  readonly #outstanding = new Map<number, number>();
  readonly #largest: number;

  constructor(demands: readonly DestinationDemand[]) {
    let inFlight = 0;
    for (const demand of demands) {
      const held = heldBy(demand);
      const moving = held === 0 ? 0 : Math.min(1, demand.windowMessages / held);
      inFlight += held * moving;
      for (const [tenantId, messages] of demand.outstanding.byTenant) {
        add(this.#held, tenantId, messages * moving);
        add(this.#outstanding, tenantId, messages);
      }
    }
    this.#largest = Math.max(alwaysAllowed, inFlight * largestPart);
  }

  /** Messages it may add while others wait. */
  amongOthers(tenantId: number): number {
    return Math.max(0, Math.floor(this.#largest - (this.#held.get(tenantId) ?? 0)));
  }

  /** Messages it may add at all. */
  ownLimit(tenantId: number, mostOutstanding = Number.POSITIVE_INFINITY): number {
    return Math.max(0, mostOutstanding - (this.#outstanding.get(tenantId) ?? 0));
  }

  take(tenantId: number, messages: number): void {
    add(this.#held, tenantId, messages);
    add(this.#outstanding, tenantId, messages);
  }
}

function add(sums: Map<number, number>, key: number, n: number): void {
  sums.set(key, (sums.get(key) ?? 0) + n);
}
