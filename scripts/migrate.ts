/** Brings the schema up to date and makes the partitions of the weeks to come. For deployments, before the new release starts. */
import { migrations } from '../migrations/all.ts';
import { ensurePartitions } from '../src/ledger/partitions.ts';
import { createLog } from '../src/platform/log.ts';
import { migrateDatabase } from '../src/platform/migrate.ts';
import { createDatabase } from '../src/platform/mysql.ts';

const url = process.env.DATABASE_URL;
if (!url) {
  process.stderr.write('DATABASE_URL is not set: mysql://user:password@host:3306/sluice\n');
  process.exit(78);
}
const done = await migrateDatabase(url, migrations);
const db = createDatabase({ url, connections: 1, log: createLog('migrate', 'warn') });
await ensurePartitions(db, Date.now());
await db.stop();
process.stdout.write(done.length > 0 ? `migrated: ${done.join(', ')}\n` : 'the schema is up to date\n');
