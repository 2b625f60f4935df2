/** What makes a process ready: its database is there and migrated; its Redis is there, which the API can do without. */

import type { HealthChecks } from './health.ts';
import type { Sql } from './mysql.ts';
import { assertServing, type RedisClient } from './redis.ts';

export interface CheckedParts {
  readonly db: Sql;
  readonly redis: RedisClient;
  /** Names of the migrations that this version of the code needs. */
  readonly migrations: readonly string[];
}

/** A worker has nothing to do without Redis. */
export function createHealthChecks({ db, redis, migrations }: CheckedParts): HealthChecks {
  return {
    mysql: async () => void (await db.first('SELECT 1')),
    schema: () => assertMigrated(db, migrations),
    redis: () => assertServing(redis),
  };
}

/**
 * The API's: recipients unsubscribe, operators pause, cancel and suppress with MySQL alone. Were Redis asked for here, all API processes would be
 * taken out of their balancer together while it is away.
 */
export function createApiHealthChecks(parts: CheckedParts): HealthChecks {
  return { ...createHealthChecks(parts), redis: { dispensable: () => assertServing(parts.redis) } };
}

/** More migrations than we know are fine: a newer version has begun to roll out, and migrations only expand. */
async function assertMigrated(db: Sql, names: readonly string[]): Promise<void> {
  const rows = await db.rows<{ name: string }>('SELECT name FROM migrations');
  const done = new Set(rows.map((row) => row.name));
  const missing = names.filter((name) => !done.has(name));
  if (missing.length > 0) throw new Error(`The schema lacks ${missing.join(', ')}`);
}
