/**
 * What the experiments share: a MySQL and a Redis of the suite's own, and workers as real processes, connected directly: a proxy in between would take
 * part of the two cores that are being shared out.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { migrations } from '../../../migrations/all.ts';
import { deriveKeys, type Keys } from '../../keys.ts';
import { ensurePartitions } from '../../ledger/partitions.ts';
import { migrateDatabase } from '../../platform/migrate.ts';
import { createDatabase, type Database } from '../../platform/mysql.ts';
import { emptyTables } from '../empty-tables.ts';
import { createFleet, type Fleet, type RoleCounts } from '../faults/fleet.ts';
import type { KillableServer } from '../faults/killable-server.ts';
import { type OwnServers, withOwnServers } from '../faults/own-servers.ts';
import { silentLog } from '../test-database.ts';
import { createHelperTables, numbersTable } from './helper-tables.ts';

export const redisPrefix = 'fairness';

export interface Installation {
  readonly mysql: KillableServer;
  readonly redis: KillableServer;
  readonly keys: Keys;
  readonly db: Database;
  readonly redisClient: Redis;
  readonly folder: string;
  /** Workers of this build; those of another, or with other settings, are killed first. */
  fleet(distFolder: string, counts: RoleCounts, settings: Readonly<Record<string, string>>): Promise<Fleet>;
  /** Kills them: whoever goes on resets. */
  endWorkers(): Promise<void>;
  /** Ends all workers, and empties MySQL and Redis. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export function startInstallation(): Promise<Installation> {
  return withOwnServers('fairness', build);
}

async function build({ instance, mysql, redis, stop }: OwnServers): Promise<Installation> {
  const db = await openDatabase(mysql.url);
  const redisClient = new Redis(redis.url, { maxRetriesPerRequest: 1, retryStrategy: () => 100 });
  redisClient.on('error', () => undefined);
  const secretKey = randomBytes(32);
  const fleets = createFleets(instance.folder, {
    PATH: process.env.PATH,
    DATABASE_URL: `mysql://worker:worker@127.0.0.1:${mysql.port}/sluice`,
    REDIS_URL: redis.url,
    REDIS_PREFIX: redisPrefix,
    SECRET_KEY: secretKey.toString('base64'),
    HEALTH_PORT: '0',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'info',
    NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'end-with-parent.js')).href}`,
  });

  return {
    mysql,
    redis,
    keys: deriveKeys(secretKey),
    db,
    redisClient,
    folder: instance.folder,
    fleet: fleets.take,
    endWorkers: fleets.end,
    async reset() {
      await fleets.end();
      await redis.restart();
      await emptyTables(db, [numbersTable]);
      await redisClient.flushall();
    },
    async stop() {
      await fleets.end();
      redisClient.disconnect();
      await db.stop();
      await stop();
    },
  };
}

async function openDatabase(url: string): Promise<Database> {
  await migrateDatabase(url, migrations);
  const db = createDatabase({ url, connections: 6, log: silentLog });
  await ensurePartitions(db, Date.now());
  await createHelperTables(db);
  return db;
}

/** One fleet at a time: the same one as long as build and settings are the same. */
function createFleets(folder: string, environment: NodeJS.ProcessEnv) {
  let current: { readonly name: string; readonly fleet: Fleet } | undefined;
  let fleets = 0;

  async function end(): Promise<void> {
    await current?.fleet.killAll();
    current = undefined;
  }

  return {
    end,
    async take(distFolder: string, counts: RoleCounts, settings: Readonly<Record<string, string>>) {
      const name = JSON.stringify([distFolder, settings]);
      if (current?.name !== name) {
        await end();
        const logFolder = join(folder, `logs-${++fleets}`);
        mkdirSync(logFolder, { recursive: true });
        const fleet = createFleet({
          distFolder,
          logFolder,
          environment: () => ({ ...environment, ...settings }),
        });
        current = { name, fleet };
      }
      await current.fleet.ensure(counts);
      return current.fleet;
    },
  };
}
