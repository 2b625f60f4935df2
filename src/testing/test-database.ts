/**
 * A database and a Redis prefix of one test file's own, so that files run in parallel and leave nothing behind.
 * Names carry the time they were made: what a killed run left is dropped by a later one.
 */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { pino } from 'pino';
import { migrations } from '../../migrations/all.ts';
import { ensurePartitions } from '../ledger/partitions.ts';
import { migrateDatabase } from '../platform/migrate.ts';
import { createDatabase, type Database } from '../platform/mysql.ts';

export const silentLog = pino({ level: 'silent' });

export interface TestDatabase {
  readonly db: Database;
  /** For processes of a test's own. */
  readonly url: string;
  /** Closes the pool and drops the database. */
  drop(): Promise<void>;
}

const prefix = 'sluice_test_';
const abandonedAfterMs = 3_600_000;

/** A migrated, empty database with its partitions. Call `drop` in `afterAll`. */
export async function createTestDatabase({ connections = 6 } = {}): Promise<TestDatabase> {
  const name = `${prefix}${Date.now()}_${randomBytes(4).toString('hex')}`;
  await administer(async (run) => {
    await dropAbandoned(run);
    await run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  });
  const url = withPath(serverUrl(), name);
  await migrateDatabase(url, migrations);
  const db = createDatabase({ url, connections, log: silentLog });
  await ensurePartitions(db, Date.now(), 2);
  return {
    db,
    url,
    async drop() {
      await db.stop();
      await administer(async (run) => void (await run(`DROP DATABASE IF EXISTS ${name}`)));
    },
  };
}

export interface TestRedis {
  readonly redis: Redis;
  readonly url: string;
  /** First word of every key, as REDIS_PREFIX. */
  readonly prefix: string;
  /** Deletes every key under the prefix and disconnects. */
  drop(): Promise<void>;
}

export async function createTestRedis(): Promise<TestRedis> {
  const url = environmentUrl('REDIS_URL');
  const redis = new Redis(url);
  await redis.ping();
  const keyPrefix = `test-${randomBytes(6).toString('hex')}`;
  return {
    redis,
    url,
    prefix: keyPrefix,
    async drop() {
      await deleteKeys(redis, keyPrefix);
      await redis.quit();
    },
  };
}

type Run = (statement: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

async function administer(work: (run: Run) => Promise<void>): Promise<void> {
  const connection = await createConnection(serverUrl());
  try {
    await work(async (statement, values) => {
      const [rows] = await connection.query(statement, values);
      return rows as Record<string, unknown>[];
    });
  } finally {
    await connection.end();
  }
}

async function dropAbandoned(run: Run): Promise<void> {
  const rows = await run(
    'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ?',
    [`${prefix.replaceAll('_', '\\_')}%`],
  );
  for (const { name } of rows) {
    const madeAt = Number(/^sluice_test_(\d+)_[0-9a-f]+$/.exec(String(name))?.[1]);
    if (madeAt < Date.now() - abandonedAfterMs) await run(`DROP DATABASE IF EXISTS ${name}`);
  }
}

function serverUrl(): string {
  return environmentUrl('DATABASE_URL').replace(/^mariadb:/, 'mysql:');
}

function environmentUrl(name: 'DATABASE_URL' | 'REDIS_URL'): string {
  const url = process.env[name];
  if (!url)
    throw new Error(`${name} is not set: run the tests by \`npm test\`, or start \`npm run services\``);
  return url;
}

function withPath(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function deleteKeys(redis: Redis, keyPrefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `*${keyPrefix}*`, count: 1000 })) {
    if (keys.length > 0) await redis.unlink(...(keys as string[]));
  }
}
