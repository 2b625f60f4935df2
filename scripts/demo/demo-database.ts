/** The demo's own database, beside whatever else the server holds; dropped at the end. */
import { createConnection } from 'mysql2/promise';
import { migrations } from '../../migrations/all.ts';
import { ensurePartitions } from '../../src/ledger/partitions.ts';
import { createLog } from '../../src/platform/log.ts';
import { migrateDatabase } from '../../src/platform/migrate.ts';
import { createDatabase, type Database } from '../../src/platform/mysql.ts';

export interface DemoDatabase {
  readonly url: string;
  readonly db: Database;
  drop(): Promise<void>;
}

export async function createDemoDatabase(serverUrl: string): Promise<DemoDatabase> {
  const name = `sluice_demo_${process.pid}_${Date.now()}`;
  await run(serverUrl, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const address = new URL(serverUrl);
  address.pathname = `/${name}`;
  const url = address.href;
  await migrateDatabase(url, migrations);
  const db = createDatabase({ url, connections: 2, log: createLog('demo', 'warn') });
  await ensurePartitions(db, Date.now());
  return {
    url,
    db,
    async drop() {
      await db.stop();
      await run(serverUrl, `DROP DATABASE IF EXISTS ${name}`);
    },
  };
}

async function run(url: string, statement: string): Promise<void> {
  const connection = await createConnection(url.replace(/^mariadb:/, 'mysql:'));
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
