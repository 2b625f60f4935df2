/** Reads what holds at some destinations: paces from Redis where it answers in time, attempts from the ledger. */

import { within } from '../pacing/answer-in-time.ts';
import type { Pace } from '../pacing/pace.ts';
import { readPaces } from '../pacing/read-paces.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/mysql.ts';
import type { RedisClient } from '../platform/redis.ts';
import { utcDay } from '../transport-settings/utc-day.ts';
import { readAttempts } from './attempts-store.ts';
import { type DestinationStatus, toStatus } from './destination-status.ts';
import type { StoredDestination } from './destination-store.ts';

export interface PaceViewParts {
  readonly db: Sql;
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A view without paces is better than one that is late. */
const longestWaitMs = 1_000;

export async function readStatuses(
  parts: PaceViewParts,
  destinations: readonly StoredDestination[],
): Promise<ReadonlyMap<number, DestinationStatus>> {
  const day = utcDay(parts.clock.now());
  const transportIds = [...new Set(destinations.map(({ transportId }) => transportId))];
  const paces = await readKnownPaces(
    parts,
    destinations.map(({ id }) => id),
  );
  const attempts = await readAttempts(parts.db, transportIds, day);
  return new Map(
    destinations.map((one): [number, DestinationStatus] => [
      one.id,
      toStatus(one, { pace: paces.get(one.id), attempts, day }),
    ]),
  );
}

async function readKnownPaces(
  { redis, prefix, log }: PaceViewParts,
  destinationIds: readonly number[],
): Promise<ReadonlyMap<number, Pace>> {
  try {
    return await within(longestWaitMs, readPaces(redis, prefix, destinationIds));
  } catch (error) {
    log.debug({ err: error }, 'paces not shown: Redis is away');
    return new Map();
  }
}
