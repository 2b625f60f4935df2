/** An installation of a lane's own: MySQL, Redis, and between them and each kind of worker a proxy. It outlives experiments. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { migrations } from '../../../migrations/all.ts';
import { deriveKeys, type Keys } from '../../keys.ts';
import { ensurePartitions } from '../../ledger/partitions.ts';
import { migrateDatabase } from '../../platform/migrate.ts';
import { createDatabase, type Database } from '../../platform/mysql.ts';
import { emptyTables } from '../empty-tables.ts';
import { silentLog } from '../test-database.ts';
import { allRoles, createFleet, type Fleet, type Role } from './fleet.ts';
import type { KillableServer } from './killable-server.ts';
import { type OwnServers, withOwnServers } from './own-servers.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import type { Instance } from './service-scripts.ts';
import { type FleetSettings, toEnvironment } from './settings.ts';

export const redisPrefix = 'faults';

export interface Installation {
  readonly mysql: KillableServer;
  readonly redis: KillableServer;
  readonly keys: Keys;
  /** Straight to the servers, not through a proxy. */
  readonly db: Database;
  readonly redisClient: Redis;
  readonly proxies: Readonly<Record<Role, { readonly mysql: FaultProxy; readonly redis: FaultProxy }>>;
  readonly folder: string;
  /** Where the API of its fleet answers. */
  readonly apiUrl: string;
  /** Workers of this build with these settings; those that run with others are ended first. */
  fleet(distFolder: string, settings: FleetSettings): Promise<Fleet>;
  healProxies(): void;
  /** Ends all workers and begins with an empty database and an empty Redis: what a failed experiment left must not fail the next. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export function startInstallation(label: string): Promise<Installation> {
  return withOwnServers(label, build);
}

async function build({ instance, mysql, redis, freePort, stop }: OwnServers): Promise<Installation> {
  await prepareDatabase(mysql.url);
  const db = createDatabase({ url: mysql.url, connections: 4, log: silentLog });
  const redisClient = new Redis(redis.url, { maxRetriesPerRequest: 1, retryStrategy: () => 100 });
  redisClient.on('error', () => undefined);
  const proxies = await startProxies(mysql.port, redis.port);
  const httpPort = await freePort();
  const secretKey = randomBytes(32).toString('base64');
  const environment = (settings: FleetSettings) => (role: Role) => ({
    PATH: process.env.PATH,
    DATABASE_URL: `mysql://worker:worker@127.0.0.1:${proxies[role].mysql.port}/sluice`,
    REDIS_URL: `redis://127.0.0.1:${proxies[role].redis.port}`,
    REDIS_PREFIX: redisPrefix,
    SECRET_KEY: secretKey,
    HTTP_PORT: String(httpPort),
    ...toEnvironment(settings),
  });
  const fleets = createFleets(instance, environment);
  return {
    mysql,
    redis,
    keys: deriveKeys(Buffer.from(secretKey, 'base64')),
    db,
    redisClient,
    proxies,
    folder: instance.folder,
    apiUrl: `http://127.0.0.1:${httpPort}`,
    fleet: fleets.take,
    healProxies: () => eachProxy(proxies, (proxy) => proxy.heal()),
    async reset() {
      await fleets.end();
      await Promise.all([mysql.restart(), redis.restart()]);
      await emptyTables(db);
      await redisClient.flushall();
    },
    async stop() {
      await fleets.end();
      await Promise.all(eachProxy(proxies, (proxy) => proxy.stop()));
      redisClient.disconnect();
      await db.stop();
      await stop();
    },
  };
}

async function prepareDatabase(url: string): Promise<void> {
  await migrateDatabase(url, migrations);
  const db = createDatabase({ url, connections: 1, log: silentLog });
  await ensurePartitions(db, Date.now());
  await db.stop();
}

async function startProxies(mysqlPort: number, redisPort: number): Promise<Installation['proxies']> {
  const pairs = allRoles.map(async (role) => [
    role,
    { mysql: await startProxy(mysqlPort), redis: await startProxy(redisPort) },
  ]);
  return Object.fromEntries(await Promise.all(pairs));
}

function eachProxy<T>(proxies: Installation['proxies'], visit: (proxy: FaultProxy) => T): T[] {
  return allRoles.flatMap((role) => [visit(proxies[role].mysql), visit(proxies[role].redis)]);
}

/** One fleet at a time: the same one as long as build and settings are the same. */
function createFleets(
  instance: Instance,
  environment: (settings: FleetSettings) => (role: Role) => NodeJS.ProcessEnv,
) {
  let current: { name: string; fleet: Fleet } | undefined;
  const logFolder = join(instance.folder, 'logs');
  mkdirSync(logFolder, { recursive: true });

  async function end(): Promise<void> {
    await current?.fleet.killAll();
    current = undefined;
  }

  return {
    end,
    async take(distFolder: string, settings: FleetSettings): Promise<Fleet> {
      const name = JSON.stringify([distFolder, settings]);
      if (current?.name === name) return current.fleet;
      // A killed fleet's leadership would have to run out first.
      if (current)
        await Promise.all(
          allRoles.flatMap((role) => current!.fleet.running(role)).map((worker) => worker.stop()),
        );
      await end();
      const fleet = createFleet({
        distFolder,
        logFolder,
        environment: environment(settings),
        note: (worker, pid, process) => instance.addProcess(worker, pid, process),
      });
      current = { name, fleet };
      return fleet;
    },
  };
}
