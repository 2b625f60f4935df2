/**
 * Weekly partitions of chunks and deliveries. `part` is the ISO 8601 week in which the campaign was scheduled, as yyyyww.
 * A week whose partition is missing falls into p_max, so that a sweep that never ran can't stop sending.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import { alterLedger } from './alter-ledger.ts';

const dayMs = 86_400_000;
const tables = ['chunks', 'deliveries'] as const;

/** The ISO week of a moment (UTC), as yyyyww. */
export function partOf(nowMs: number): number {
  const date = new Date(nowMs);
  const weekday = date.getUTCDay() || 7;
  // A week belongs to the year that its Thursday is in.
  const thursday = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 4 - weekday),
  );
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - newYear) / (7 * dayMs)) + 1;
  return thursday.getUTCFullYear() * 100 + week;
}

/**
 * Adds the partitions of this week and the next ones. Splitting p_max locks the table for as long as it takes to move its
 * rows: none, as long as this runs at least once in `weeksAhead` weeks. A table that somebody holds is left for the next time.
 */
export async function ensurePartitions(db: Database, nowMs: number, weeksAhead = 8): Promise<void> {
  const wanted = Array.from({ length: weeksAhead + 1 }, (_, week) => partOf(nowMs + week * 7 * dayMs));
  for (const table of tables) {
    const last = await lastPart(db, table);
    const missing = wanted.filter((part) => part > last);
    if (missing.length > 0) await splitLast(db, table, missing);
  }
}

async function lastPart(sql: Sql, table: string): Promise<number> {
  const row = await sql.first<{ name: string | null }>(
    `SELECT MAX(PARTITION_NAME) AS name FROM information_schema.PARTITIONS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND PARTITION_NAME <> 'p_max'`,
    [table],
  );
  return row?.name ? Number(row.name.slice(1)) : 0;
}

async function splitLast(db: Database, table: string, parts: readonly number[]): Promise<void> {
  const added = parts.map((part) => `PARTITION p${part} VALUES LESS THAN (${part + 1})`).join(', ');
  await alterLedger(
    db,
    `ALTER TABLE ${table} REORGANIZE PARTITION p_max INTO (${added}, PARTITION p_max VALUES LESS THAN MAXVALUE)`,
  );
}
