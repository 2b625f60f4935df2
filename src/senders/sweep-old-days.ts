/** Pauses that are long over and counts of days gone by: kept for a while, for people to look at, then forgotten. */
import type { Sql } from '../platform/mysql.ts';

const rowsAtOnce = 1_000;

/** Bounded; answers how many rows went. */
export async function sweepOldDays(sql: Sql): Promise<number> {
  const pauses = await sql.write(
    `DELETE FROM sender_pauses WHERE \`until\` < NOW(3) - INTERVAL 7 DAY LIMIT ${rowsAtOnce}`,
  );
  const days = await sql.write(
    `DELETE FROM destination_days WHERE day < UTC_DATE() - INTERVAL 90 DAY LIMIT ${rowsAtOnce}`,
  );
  return pauses.affectedRows + days.affectedRows;
}
