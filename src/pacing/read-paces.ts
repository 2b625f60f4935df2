/** Paces for those who only show them: the API, the command line. */
import type { RedisClient } from '../platform/redis.ts';
import type { Pace } from './pace.ts';
import { askPaces, paceHome } from './pace-keys.ts';

/** Destinations read in one pipeline. */
const mostAtOnce = 500;

/** The paces that are known; a destination that was idle for an hour has none. Throws while Redis is away. */
export async function readPaces(
  redis: RedisClient,
  prefix: string,
  destinationIds: readonly number[],
): Promise<ReadonlyMap<number, Pace>> {
  const paces = new Map<number, Pace>();
  for (let i = 0; i < destinationIds.length; i += mostAtOnce) {
    const ids = destinationIds.slice(i, i + mostAtOnce);
    const pipeline = redis.pipeline();
    const asked = askPaces(pipeline, paceHome(redis, prefix), ids);
    const found = asked.read(await pipeline.exec(), 0);
    found.forEach((published, n) => {
      if (published) paces.set(ids[n]!, published.pace);
    });
  }
  return paces;
}
