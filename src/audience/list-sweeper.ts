/** Removes the members of lists that are gone, a slice at a time. */
import type { ListId, TenantId } from '../ids.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import { removeMemberSlice } from './list-members.ts';

export interface ListSweeperOptions {
  readonly db: Database;
  readonly log: Log;
}

/** Any number may run: two at the same list delete different rows or wait for each other. */
export function createListSweeper({ db, log }: ListSweeperOptions): Lifecycle {
  return createLoop({
    name: 'list-sweeper',
    log,
    idleMs: 60_000,
    pass: async (signal) => ((await sweepDeletedLists(db, signal)) > 0 ? 'busy' : 'idle'),
  });
}

/** Sweeps up to ten deleted lists to their ends; says how many it found. */
export async function sweepDeletedLists(db: Database, signal: AbortSignal): Promise<number> {
  const lists = await findDeletedLists(db);
  for (const list of lists) {
    while (!signal.aborted && (await removeMemberSlice(db, list, sliceSize)) === sliceSize);
  }
  return lists.length;
}

const sliceSize = 2_000;

/** The inner query reads one index entry per list, not one per member (a loose scan of the primary key). */
async function findDeletedLists(db: Database): Promise<{ tenantId: TenantId; id: ListId }[]> {
  return db.rows(
    `SELECT m.tenant_id AS tenantId, m.list_id AS id
     FROM (SELECT tenant_id, list_id FROM list_members GROUP BY tenant_id, list_id) m
     LEFT JOIN lists l ON l.tenant_id = m.tenant_id AND l.id = m.list_id
     WHERE l.id IS NULL LIMIT 10`,
  );
}
