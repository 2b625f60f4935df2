/** Windows that don't learn: every destination is open, with the same window. For what has no Redis, and for measurements. */
import type { DestinationPaces } from './dispatcher.ts';

export function fixedPaces(windowMessages: number): DestinationPaces {
  return { learn: async () => undefined, paceOf: () => ({ windowMessages }) };
}
