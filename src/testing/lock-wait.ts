/** Resolves when a statement that mentions this waits for a row lock: the moment at which a race is on. */
import type { Sql } from '../platform/mysql.ts';
import { waitFor } from './wait-for.ts';

/** InnoDB renews what this table shows only when nobody has read it for a tenth of a second. */
const cacheMs = 150;

export async function waitForLockWait(sql: Sql, about: number | string): Promise<void> {
  const ask = () =>
    sql.first(
      `SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE CONCAT('%', ?, '%')`,
      [about],
    );
  await waitFor('a lock wait', ask, 5_000, cacheMs);
}
