/** A database of one connection that waits a second for a lock, not five: for what must go on while somebody holds rows. */
import { createDatabase, type Database } from '../platform/mysql.ts';
import { silentLog } from './test-database.ts';

export async function createImpatientDatabase(url: string): Promise<Database> {
  const db = createDatabase({ url, connections: 1, log: silentLog });
  await db.write('SET SESSION innodb_lock_wait_timeout = 1');
  return db;
}
