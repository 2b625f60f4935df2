/** The rates that hold for every message of a destination. Pure. */
import type { Bucket } from '../pacing/rate-gate.ts';

export interface DestinationRates {
  readonly transportId: number;
  readonly destinationId: number;
  /** Set for the destination, and learnt from its answers; messages a second. */
  readonly perSecond?: number | undefined;
  readonly learntPerSecond?: number | undefined;
  /** Over all of the transport's destinations. */
  readonly transportPerSecond: number | undefined;
}

/** The destination's, set or learnt, whichever is less, and the transport's. */
export function destinationBuckets(rates: DestinationRates): readonly Bucket[] {
  const { perSecond = Number.POSITIVE_INFINITY, learntPerSecond = Number.POSITIVE_INFINITY } = rates;
  const own = Math.min(perSecond, learntPerSecond);
  const buckets: Bucket[] = [];
  if (Number.isFinite(own)) buckets.push({ name: `d:${rates.destinationId}`, perSecond: own });
  if (rates.transportPerSecond)
    buckets.push({ name: `t:${rates.transportId}`, perSecond: rates.transportPerSecond });
  return buckets;
}
