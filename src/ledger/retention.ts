/**
 * Old weeks of chunks and deliveries go by the partition, which costs the same for ten rows and for a billion, and touches no row of another week.
 * Campaigns and their counters stay, so progress still shows what became of them; feedback that comes later finds nothing and is told so (`gone`).
 *
 * A week goes when it is older than the retention and each of its campaigns has been over for as long: a campaign that was scheduled a year ahead is
 * kept as long after its end as any other. Nothing new can come into an old week: scheduling sets a campaign's part to the present one.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import { alterLedger } from './alter-ledger.ts';
import { partOf } from './partitions.ts';

export interface RetentionOptions {
  readonly nowMs: number;
  readonly weeks: number;
}

export type Retired =
  | { readonly kind: 'dropped'; readonly table: string; readonly part: number }
  /** Somebody held the table: another time. */
  | { readonly kind: 'busy'; readonly table: string; readonly part: number }
  | { readonly kind: 'none' };

interface OldPartition {
  readonly table: string;
  readonly part: number;
  /** It holds what is behind this one: a week whose own partition is gone falls into the next. */
  readonly after: number;
}

/**
 * Drops at most one partition of one table: the oldest that nobody needs. A week's chunks go before its deliveries: if we die in between, nothing
 * leads to the deliveries any more, and the next call drops them.
 */
export async function dropOldPartition(db: Database, options: RetentionOptions): Promise<Retired> {
  const old = await readOldPartitions(db, partOf(options.nowMs - options.weeks * 7 * 86_400_000));
  if (old.length === 0) return { kind: 'none' };
  const needed = await readNeededParts(db, options.weeks);
  const next = old.find(({ part, after }) => !needed.some((one) => one > after && one <= part));
  if (!next) return { kind: 'none' };
  const { table, part } = next;
  const altered = await alterLedger(db, `ALTER TABLE ${table} DROP PARTITION p${part}`);
  return { kind: altered === 'busy' ? 'busy' : 'dropped', table, part };
}

/** Of weeks before `oldestKept`, week by week, chunks first. */
async function readOldPartitions(sql: Sql, oldestKept: number): Promise<readonly OldPartition[]> {
  const rows = await sql.rows<{ table: string; name: string }>(
    `SELECT TABLE_NAME AS \`table\`, PARTITION_NAME AS name FROM information_schema.PARTITIONS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('chunks', 'deliveries') AND PARTITION_NAME <> 'p_max'
     ORDER BY PARTITION_NAME, TABLE_NAME`,
  );
  const last = new Map<string, number>();
  const partitions = rows.map(({ table, name }) => {
    const part = Number(name.slice(1));
    const after = last.get(table) ?? 0;
    last.set(table, part);
    return { table, part, after };
  });
  return partitions.filter(({ part }) => part < oldestKept);
}

/** Weeks with a campaign that is under way, still settling, or over for less than the retention. Reads all campaigns: not to be asked often. */
async function readNeededParts(sql: Sql, weeks: number): Promise<readonly number[]> {
  const rows = await sql.rows<{ part: number }>(
    `SELECT DISTINCT part FROM campaigns
     WHERE state IN ('scheduled', 'expanding', 'sending') OR settling = 1 OR finished_at > NOW(3) - INTERVAL ? WEEK`,
    [weeks],
  );
  return rows.map(({ part }) => part);
}
