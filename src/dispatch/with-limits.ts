/**
 * What is set for destinations, beside what was learnt of them: who shares connections, and windows bounded by what is left of the day's quotas. What is outstanding counts as attempted until it has ended; it was read before the quotas are, so a
 * grant that ends in between counts twice for a moment, and never not at all.
 */
import type { DestinationLimits } from '../pacing/pace.ts';
import type { DestinationPaces } from './dispatcher.ts';

/** `DestinationLimitsSource`, as far as it goes here. */
export interface SetLimits {
  limitsOf(destinationId: number): DestinationLimits;
  refreshQuotas(outstanding: ReadonlyMap<number, number>): Promise<void>;
}

export function withLimits(paces: DestinationPaces, set: SetLimits): DestinationPaces {
  return {
    async learn(outstanding) {
      await set.refreshQuotas(outstanding);
      await paces.learn(outstanding);
    },
    paceOf(destinationId) {
      const { windowMessages } = paces.paceOf(destinationId);
      const { perDay, connections } = set.limitsOf(destinationId);
      const sharesConnections = connections !== undefined;
      if (perDay === undefined) return { windowMessages, sharesConnections };
      return { windowMessages: Math.min(windowMessages, perDay), quotaMessages: perDay, sharesConnections };
    },
  };
}
