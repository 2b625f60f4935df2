/**
 * deliveries.reply_code and outcome_at have their bytes from the start: 0, and the epoch, until there is a reply and an outcome. A row that grew with
 * its outcome was written anew, in pages that expansion had filled, which then were split: five times the redo log a message (docs/performance.md).
 *
 * Only the defaults change: at once, however many rows there are. Rows of before keep their NULLs, and so does what a process of the release
 * before writes; both read as "none", like the new defaults.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `ALTER TABLE deliveries ALTER COLUMN reply_code SET DEFAULT 0, ALTER COLUMN outcome_at SET DEFAULT '1970-01-01 00:00:00.000'`,
  );
}

export async function down(): Promise<void> {
  throw new Error('Migrations go forward only: restore a backup instead');
}
