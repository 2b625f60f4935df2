/**
 * MySQL: one small pool per process, UTC and READ COMMITTED on every connection (DESIGN 4a).
 *
 * `rows`, `first` and `write` interpolate on the client with mysql2's escaping: for multi-row statements that costs
 * the least, and it holds no server-side statement per shape. Values are always passed as parameters.
 */
import { createPool, type Pool, type PoolConnection, type ResultSetHeader } from 'mysql2/promise';
import { AppError } from '../errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';
import { Slots } from './slots.ts';

export interface WriteResult {
  /** Rows matched, not rows changed: an update that sets what is there already counts (CLIENT_FOUND_ROWS). */
  readonly affectedRows: number;
  readonly insertId: number;
}

/** What a store needs: statements, on a connection of its own or inside a transaction. */
export interface Sql {
  rows<T>(statement: string, values?: readonly unknown[]): Promise<T[]>;
  first<T>(statement: string, values?: readonly unknown[]): Promise<T | undefined>;
  write(statement: string, values?: readonly unknown[]): Promise<WriteResult>;
}

export interface Database extends Sql, Lifecycle {
  /**
   * Runs `work` in one transaction. Deadlocks and lock time-outs roll back and run `work` again, so it must have no
   * effects but its statements. If we die before the commit is answered, it either happened whole or not at all.
   */
  transaction<T>(work: (tx: Sql) => Promise<T>, patience?: Patience): Promise<T>;
  /**
   * Runs `work` on one connection, each statement committed by itself, and again after a deadlock: for work that is one statement when all goes
   * well, two round trips cheaper than a transaction. If we die in its midst, the statements that were answered have happened, the one under way perhaps.
   */
  autocommit<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Statements and transactions under way at once; what comes on top waits. Set by the fleet's share. */
  concurrency: number;
}

export interface Patience {
  /** For one of many: a lock that isn't given up in time is thrown at once, so that the others' turn comes. Deadlocks are run again all the same. */
  readonly waitsOnce?: boolean;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly connections: number;
  readonly log: Log;
}

const maxTransactionTries = 6;
/** Well within a lease: a worker learns that its database is silent while it may still act on it. */
const statementTimeoutMs = 15_000;

/**
 * MariaDB ends a transaction in which nothing happens for 10 s, and its connection. A process that is frozen in the middle of one (SIGSTOP, a paused
 * machine, a partition) would hold its locks until TCP gives up, and takeovers, pauses and resumes of what it locked would wait for it. MySQL has no such
 * bound: there the operator's `wait_timeout` ends it.
 */
const idleTransactionBound = '/*M!100300 , idle_transaction_timeout = 10 */';

const sessionSetup = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO' ${idleTransactionBound}`,
];

export function createDatabase(options: DatabaseOptions): Database {
  const pool = openPool(options);
  const slots = new Slots(options.connections);
  const direct = sqlOn(runOnPool(pool, slots));
  let ended: Promise<void> | undefined;

  return {
    ...direct,
    get concurrency() {
      return slots.limit;
    },
    set concurrency(limit) {
      slots.limit = limit;
    },
    async start() {
      await direct.first('SELECT 1');
    },
    stop() {
      ended ??= pool.end();
      return ended;
    },
    transaction: (work, patience) =>
      untilUndisturbed(options.log, () => inSlot(slots, () => runTransaction(pool, work)), patience),
    autocommit: (work) => untilUndisturbed(options.log, () => inSlot(slots, () => runAutocommit(pool, work))),
  };
}

async function untilUndisturbed<T>(
  log: Log,
  run: () => Promise<T>,
  { waitsOnce = false }: Patience = {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const isRunAgain = isDeadlock(error) || (isLockTimeout(error) && !waitsOnce);
      if (!isRunAgain || tries === maxTransactionTries) throw error;
      log.debug({ err: error, tries }, 'transaction again');
    }
  }
}

function openPool({ url, connections, log }: DatabaseOptions): Pool {
  const pool = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: connections,
    maxIdle: connections,
    idleTimeout: 600_000,
    connectTimeout: 10_000,
    timezone: 'Z',
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    decimalNumbers: true,
    stringifyObjects: true,
    enableKeepAlive: true,
    trace: false,
  });
  // Queued on the connection before any statement of ours; one that fails takes its connection with it.
  pool.pool.on('connection', (connection) => {
    for (const statement of sessionSetup) {
      connection.query(statement, (error: Error | null) => {
        if (!error) return;
        log.error({ err: error }, 'connection set-up failed');
        connection.destroy();
      });
    }
  });
  return pool;
}

type Run = (statement: string, values?: readonly unknown[]) => Promise<unknown>;

function sqlOn(run: Run): Sql {
  return {
    async rows<T>(statement: string, values?: readonly unknown[]) {
      return (await run(statement, values)) as T[];
    },
    async first<T>(statement: string, values?: readonly unknown[]) {
      return ((await run(statement, values)) as T[])[0];
    },
    async write(statement: string, values?: readonly unknown[]) {
      const { affectedRows, insertId } = (await run(statement, values)) as ResultSetHeader;
      return { affectedRows, insertId };
    },
  };
}

async function inSlot<T>(slots: Slots, work: () => Promise<T>): Promise<T> {
  await slots.take();
  try {
    return await work();
  } finally {
    slots.free();
  }
}

/** One statement on a connection of its own. */
function runOnPool(pool: Pool, slots: Slots): Run {
  return (statement, values) =>
    inSlot(slots, () => onConnection(pool, (connection) => runBounded(connection, statement, values)));
}

function runAutocommit<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  return onConnection(pool, (connection) =>
    work(sqlOn((statement, values) => runBounded(connection, statement, values))),
  );
}

async function onConnection<T>(pool: Pool, work: (connection: PoolConnection) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    const result = await work(connection);
    connection.release();
    return result;
  } catch (error) {
    // A refused statement leaves a connection as good as it was; a lost one is gone from the pool already.
    if (!(error instanceof StatementTimeout)) connection.release();
    throw error;
  }
}

/** A server that is stopped or unreachable answers nothing at all: without a bound, its callers would wait for ever. */
class StatementTimeout extends Error {}

/** The connection of a statement that took too long is cut: its reply, should it come, must not be read as another's. */
async function runBounded(
  connection: PoolConnection,
  statement: string,
  values?: readonly unknown[],
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      connection.destroy();
      reject(new StatementTimeout(`no answer from MySQL within ${statementTimeoutMs} ms`));
    }, statementTimeoutMs);
  });
  try {
    // Null and not undefined: the driver then doesn't search a statement of 200 KB for question marks.
    const query = connection.query(statement, (values ?? null) as unknown[]);
    const [result] = await Promise.race([query, timeout]);
    return result;
  } catch (error) {
    // Whose statement it was. The driver's own would be captured before each statement, for the one in a million that fails.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function runTransaction<T>(pool: Pool, work: (tx: Sql) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await runBounded(connection, 'START TRANSACTION');
    const result = await work(sqlOn((statement, values) => runBounded(connection, statement, values)));
    await runBounded(connection, 'COMMIT');
    connection.release();
    return result;
  } catch (error) {
    if (!(error instanceof StatementTimeout)) await abandon(connection);
    throw error;
  }
}

/** A connection that can't even roll back is thrown away: the server rolls back when it goes. */
async function abandon(connection: PoolConnection): Promise<void> {
  try {
    await runBounded(connection, 'ROLLBACK');
    connection.release();
  } catch {
    connection.destroy();
  }
}

/** The transaction was rolled back whole. */
function isDeadlock(error: unknown): boolean {
  return (error as { errno?: number }).errno === 1213;
}

/** Only the statement was rolled back, hence the ROLLBACK above. */
function isLockTimeout(error: unknown): boolean {
  return (error as { errno?: number }).errno === 1205;
}

export function isDuplicateKey(error: unknown): boolean {
  return (error as { errno?: number }).errno === 1062;
}

/** A commit that is not flushed can be lost after it was answered: a message sent, its intent forgotten. */
export async function assertDurable(sql: Sql): Promise<void> {
  const variables = await sql.rows<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin')",
  );
  const value = new Map(variables.map((row) => [row.Variable_name, row.Value]));
  if (value.get('innodb_flush_log_at_trx_commit') !== '1') {
    throw new AppError('unavailable', { detail: 'MySQL needs innodb_flush_log_at_trx_commit = 1' });
  }
  if (value.get('log_bin') === 'ON' && value.get('sync_binlog') !== '1') {
    throw new AppError('unavailable', { detail: 'MySQL needs sync_binlog = 1 while its binary log is on' });
  }
}
