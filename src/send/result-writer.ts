/**
 * Gathers results and writes them in groups: a grant's results are flushed when an intent's worth is there, or a few
 * milliseconds after the first. What can't be written is kept and tried again, and while too much is kept
 * no further message may start: when the ledger can't be written, sending stops (DESIGN 4).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupCommit } from '../ledger/group-commit.ts';
import { largestIntent } from '../ledger/intent.ts';
import { isOneStatement, type Result, recordResults } from '../ledger/outcome.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/mysql.ts';
import type { GrantRun } from './grant-run.ts';

export interface ResultWriter {
  write(run: GrantRun, result: Result): void;
  /** Results that are known and not committed yet: a crash would leave their messages in doubt. */
  readonly unwritten: number;
  /** False while so many wait that nothing more may be started. */
  readonly hasRoom: boolean;
  /** Resolves when there is room again. */
  whenRoom(): Promise<void>;
}

const flushAfterMs = 8;
/** Two groups: what waits to start and what waits to be written stay within these together (`Intake`). */
const mostUnwritten = 2 * largestIntent;
const retryMs = 500;

export function createResultWriter(commits: GroupCommit, log: Log): ResultWriter {
  const gathered = new Map<GrantRun, Result[]>();
  let unwritten = 0;
  let roomWaiters: (() => void)[] = [];

  function flush(run: GrantRun): void {
    const results = gathered.get(run);
    if (!results) return;
    gathered.delete(run);
    void writeUntilDone(run, results);
  }

  /** Writing the same results twice changes nothing, so a commit whose answer was lost is simply repeated. */
  async function writeUntilDone(run: GrantRun, results: readonly Result[]): Promise<void> {
    const record = (sql: Sql) => recordResults(sql, run.grant, results);
    for (;;) {
      try {
        await (isOneStatement(results) ? commits.runStatement(record) : commits.run(record));
        break;
      } catch (error) {
        log.error({ err: error, ...run.fields, results: results.length }, 'results not written yet');
        await sleep(retryMs);
      }
    }
    unwritten -= results.length;
    run.close(results.length);
    if (unwritten < mostUnwritten) wakeWaiters();
  }

  function wakeWaiters(): void {
    const waiters = roomWaiters;
    roomWaiters = [];
    for (const wake of waiters) wake();
  }

  return {
    write(run, result) {
      unwritten++;
      const results = gathered.get(run);
      if (!results) {
        gathered.set(run, [result]);
        setTimeout(() => flush(run), flushAfterMs);
        return;
      }
      results.push(result);
      if (results.length >= largestIntent) flush(run);
    },
    get unwritten() {
      return unwritten;
    },
    get hasRoom() {
      return unwritten < mostUnwritten;
    },
    whenRoom() {
      return new Promise((resolve) => roomWaiters.push(resolve));
    },
  };
}
