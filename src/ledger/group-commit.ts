/**
 * Group commit: statements that wait at the same moment share one transaction, hence one flush to disk.
 *
 * While a transaction commits, what arrives gathers for the next one; under load the groups grow by themselves and a lone
 * statement waits for nobody. A few committers run side by side, so that one slow flush does not hold all others up.
 */
import type { Database, Sql } from '../platform/mysql.ts';

type Work<T> = (tx: Sql) => Promise<T>;

interface Waiting {
  readonly work: Work<unknown>;
  readonly isOneStatement: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommit {
  /**
   * Runs `work` in a transaction shared with others and resolves once that is committed. `work` may run more than once
   * (a deadlock rolls the group back), so it must have no effects but its statements. When it rejects, the work may or
   * may not have been committed: the connection can break while the commit is being answered.
   */
  run<T>(work: Work<T>): Promise<T>;
  /**
   * The same for work that is one statement when all goes well, and whose further statements need not be committed with it: where it waits
   * alone, it needs no transaction, hence one round trip instead of three.
   */
  runStatement<T>(work: Work<T>): Promise<T>;
}

export interface GroupCommitOptions {
  /** Transactions open at once. */
  readonly committers: number;
  /** Most works in one transaction: bounds how long its locks are held. */
  readonly largestGroup: number;
}

export function createGroupCommit(db: Database, options: GroupCommitOptions): GroupCommit {
  const waiting: Waiting[] = [];
  let committing = 0;

  function startCommitters(): void {
    while (committing < options.committers && waiting.length > 0) {
      committing++;
      void commitUntilEmpty();
    }
  }

  async function commitUntilEmpty(): Promise<void> {
    while (waiting.length > 0) await commitGroup(db, waiting.splice(0, options.largestGroup));
    committing--;
  }

  function join<T>(work: Work<T>, isOneStatement: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      waiting.push({ work, isOneStatement, resolve: resolve as (value: unknown) => void, reject });
      // Works of the same turn of the event loop join one group.
      if (committing < options.committers) setImmediate(startCommitters);
    });
  }

  return {
    run: (work) => join(work, false),
    runStatement: (work) => join(work, true),
  };
}

async function commitGroup(db: Database, group: readonly Waiting[]): Promise<void> {
  try {
    const results = await commit(db, group);
    for (const [index, { resolve }] of group.entries()) resolve(results[index]);
  } catch (error) {
    if (group.length === 1) group[0]?.reject(error);
    else await commitOneByOne(db, group);
  }
}

function commit(db: Database, group: readonly Waiting[]): Promise<unknown[]> {
  const inTurn = async (sql: Sql) => {
    const values: unknown[] = [];
    for (const { work } of group) values.push(await work(sql));
    return values;
  };
  const isOneStatement = group.length === 1 && group[0]?.isOneStatement;
  return isOneStatement ? db.autocommit(inTurn) : db.transaction(inTurn);
}

/** One bad work must not fail its neighbours. */
async function commitOneByOne(db: Database, group: readonly Waiting[]): Promise<void> {
  for (const waiting of group) await commitGroup(db, [waiting]);
}
