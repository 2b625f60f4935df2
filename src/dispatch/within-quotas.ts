/**
 * Windows bounded by what is left of the day's quotas. What is outstanding counts as attempted until it has ended; it was read before the quotas are, so a
 * grant that ends in between counts twice for a moment, and never not at all.
 */
import type { DestinationLimits } from '../pacing/pace.ts';
import type { DestinationPaces } from './dispatcher.ts';

/** `DestinationLimitsSource`, as far as it goes here. */
export interface Quotas {
  limitsOf(destinationId: number): DestinationLimits;
  refreshQuotas(outstanding: ReadonlyMap<number, number>): Promise<void>;
}

export function withinQuotas<P extends DestinationPaces>(paces: P, quotas: Quotas): DestinationPaces {
  return {
    async learn(outstanding) {
      await quotas.refreshQuotas(outstanding);
      await paces.learn(outstanding);
    },
    paceOf(destinationId) {
      const pace = paces.paceOf(destinationId);
      const { perDay } = quotas.limitsOf(destinationId);
      if (perDay === undefined) return pace;
      return { ...pace, windowMessages: Math.min(pace.windowMessages, perDay), quotaMessages: perDay };
    },
  };
}
