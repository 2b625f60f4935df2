/**
 * Changes of the ledger's tables while others send. An ALTER waits until every transaction that has touched the table is over, and every statement
 * that comes meanwhile waits behind the ALTER: one forgotten transaction of somebody's would stop all sending. So it waits for a second, the least that
 * MySQL knows, and gives up; a lease lasts much longer than that.
 */
import type { Database } from '../platform/mysql.ts';

const waitSeconds = 1;
const lockWaitTimeout = 1205;

/** `busy`: somebody held the table, nothing was changed. */
export type Altered = 'altered' | 'busy';

/** Not a transaction (DDL commits by itself): the way to keep to one connection, whose setting is put back whatever happens. */
export function alterLedger(db: Database, statement: string): Promise<Altered> {
  return db.transaction(async (tx) => {
    await tx.write(`SET SESSION lock_wait_timeout = ${waitSeconds}`);
    try {
      await tx.write(statement);
      return 'altered';
    } catch (error) {
      if ((error as { errno?: number }).errno === lockWaitTimeout) return 'busy';
      throw error;
    } finally {
      await tx.write('SET SESSION lock_wait_timeout = DEFAULT');
    }
  });
}
