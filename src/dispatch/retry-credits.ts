/**
 * What retries have saved of their lanes' shares, between passes. Worth a share, or a chunk, for each lane with retries: a new leader begins anew.
 * Kept in place by the one dispatcher that leads, and not copied: a pass touches the lanes that it serves, of the many thousands that retry after an outage.
 */
import { type Lane, laneKey } from './demand.ts';

export interface LaneCredit {
  readonly lane: Lane;
  /** That its retries may have, with what they get next. */
  readonly messages: number;
}

export class RetryCredits {
  readonly #byDestination = new Map<number, Map<string, number>>();

  /** Undefined: none was saved yet. */
  of(lane: Lane): number | undefined {
    return this.#byDestination.get(lane.destinationId)?.get(laneKey(lane));
  }

  /**
   * To be called when a plan was carried out: of one that failed nothing is saved. Destinations with nothing due or under way are forgotten, so that
   * what is remembered stays bounded by what is `active`.
   */
  save(credits: readonly LaneCredit[], active: readonly { readonly destinationId: number }[]): void {
    for (const { lane, messages } of credits) {
      const lanes = this.#byDestination.get(lane.destinationId) ?? new Map<string, number>();
      this.#byDestination.set(lane.destinationId, lanes.set(laneKey(lane), messages));
    }
    this.#keep(active);
  }

  #keep(active: readonly { readonly destinationId: number }[]): void {
    const ids = new Set(active.map(({ destinationId }) => destinationId));
    for (const id of this.#byDestination.keys()) if (!ids.has(id)) this.#byDestination.delete(id);
  }
}
