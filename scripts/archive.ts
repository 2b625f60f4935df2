/**
 *   npm run archive -- --before 2026-W20 --out DIR
 *
 * Exports the deliveries of every week before the given one, whose campaigns are all over, to DIR/deliveries-2026-W19.ndjson.gz and so on. Weeks that have a file
 * already are passed over. Nothing is deleted: that is RETENTION_WEEKS' part, so run this more often than weeks are dropped.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { archiveWeek, listArchivableParts } from '../src/campaigns/archive-week.ts';
import { createLog } from '../src/platform/log.ts';
import { createDatabase } from '../src/platform/mysql.ts';

const { values } = parseArgs({ options: { before: { type: 'string' }, out: { type: 'string' } } });
const week = /^(\d{4})-W(\d{2})$/.exec(values.before ?? '');
if (!week || !values.out) {
  process.stderr.write('usage: npm run archive -- --before 2026-W20 --out DIR\n');
  process.exit(64);
}
const url = process.env.DATABASE_URL;
if (!url) {
  process.stderr.write('DATABASE_URL is not set: mysql://user:password@host:3306/sluice\n');
  process.exit(78);
}
const db = createDatabase({ url, connections: 2, log: createLog('archive', 'warn') });
mkdirSync(values.out, { recursive: true });
try {
  for (const part of await listArchivableParts(db, Number(week[1]) * 100 + Number(week[2]))) {
    const name = `deliveries-${Math.floor(part / 100)}-W${String(part % 100).padStart(2, '0')}.ndjson.gz`;
    const path = join(values.out, name);
    if (existsSync(path)) continue;
    const deliveries = await archiveWeek(db, part, path);
    process.stdout.write(
      deliveries > 0 ? `${path}: ${deliveries} deliveries\n` : `${path}: dropped already\n`,
    );
  }
} finally {
  await db.stop();
}
