/**
 * Who runs which import: a lease in its row, by the database's clock. Every batch renews it in its own transaction and fails
 * there when it is lost, so that an import is never counted twice. A runner that dies is succeeded by another that starts
 * from the first line; the rows it had written are only written again.
 *
 * Tries are counted as long as none gets further. A long import meets a statement that times out, a failover, a deploy; each try after one does more
 * than those before it, and counts as the first. A file that stops its runner at the same place each time is failed after the third. `n_rows` is the
 * furthest that any try came, `n_accepted` and `n_rejected` are what the last one did.
 */
import { randomBytes } from 'node:crypto';
import type { Database, Sql } from '../platform/mysql.ts';
import { type ImportKey, type ImportSource, parseFormat } from './import-store.ts';

export interface ClaimedImport extends ImportKey, ImportSource {
  /** Of this claim alone, not of the process: who lost a lease does not hold the next one. */
  readonly owner: string;
}

export interface BatchCounts {
  readonly accepted: number;
  readonly rejected: number;
}

/** Somebody else runs the import by now, or it was cancelled. */
export class LeaseLost extends Error {}

const leaseSeconds = 30;
/** In a row, none of which got further than those before it. */
const maxTries = 3;

/**
 * Takes the oldest import that waits or whose runner is gone. A tenant with one import running waits with its next while
 * others have any: their files may be small and theirs huge. (Two claims at the same moment may break that; no harm.)
 */
export async function claimImport(db: Database): Promise<ClaimedImport | undefined> {
  for (const candidate of await findCandidates(db)) {
    if (candidate.tries >= maxTries) await giveUp(db, candidate);
    else {
      const claimed = await takeCandidate(db, candidate);
      if (claimed) return claimed;
    }
  }
  return undefined;
}

/**
 * Inside a batch's transaction, last: counts it and renews the lease. Throws `LeaseLost`, and so undoes the batch. (Assignments take effect from left
 * to right.)
 */
export async function recordBatch(tx: Sql, claimed: ClaimedImport, counts: BatchCounts): Promise<void> {
  const { affectedRows } = await tx.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET n_accepted = n_accepted + ?, n_rejected = n_rejected + ?,
       tries = IF(n_accepted + n_rejected > n_rows, 1, tries), n_rows = GREATEST(n_rows, n_accepted + n_rejected),
       lease_until = NOW(3) + INTERVAL ? SECOND WHERE ${ours}`,
    [counts.accepted, counts.rejected, leaseSeconds, ...keyOf(claimed)],
  );
  if (affectedRows === 0) throw new LeaseLost();
}

/** `failure` says why it failed; without one it is done. Idempotent. The blocks are left to `sweepImports`. */
export async function endImport(sql: Sql, claimed: ClaimedImport, failure?: string): Promise<void> {
  await sql.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = ?, failure = ?, owner = NULL, finished_at = NOW(3),
       lease_until = NOW(3) WHERE ${ours}`,
    [failure === undefined ? 'done' : 'failed', failure?.slice(0, 500) ?? null, ...keyOf(claimed)],
  );
}

/** Gives it back on a clean stop: that was no failed try, and another runner need not wait for the lease to end. */
export async function releaseImport(sql: Sql, claimed: ClaimedImport): Promise<void> {
  await sql.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'pending', owner = NULL, lease_until = NULL, tries = tries - 1 WHERE ${ours}`,
    keyOf(claimed),
  );
}

interface Candidate extends ImportKey {
  readonly format: string;
  readonly listId: ImportSource['listId'];
  readonly tries: number;
}

const isFree = `(state = 'pending' OR (state = 'running' AND lease_until < NOW(3)))`;
const ours = `tenant_id = ? AND id = ? AND state = 'running' AND owner = ?`;

function keyOf({ tenantId, id, owner }: ClaimedImport): readonly unknown[] {
  return [tenantId, id, owner];
}

/** By by_state(state, lease_until), which the primary key ends; at most twenty. */
async function findCandidates(db: Database): Promise<Candidate[]> {
  return db.rows<Candidate>(
    `SELECT i.tenant_id AS tenantId, i.id, i.format, i.list_id AS listId, i.tries FROM imports i
     WHERE (i.state = 'pending' OR (i.state = 'running' AND i.lease_until < NOW(3)))
       AND NOT EXISTS (SELECT 1 FROM imports r WHERE r.tenant_id = i.tenant_id AND r.state = 'running'
         AND r.lease_until >= NOW(3))
     ORDER BY i.id LIMIT 20`,
  );
}

/** Compare-and-set; then what an earlier try reported goes, for this one will report it again. */
async function takeCandidate(db: Database, candidate: Candidate): Promise<ClaimedImport | undefined> {
  const { tenantId, id, listId } = candidate;
  const owner = randomBytes(16).toString('hex');
  return db.transaction(async (tx) => {
    const { affectedRows } = await tx.write(
      `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'running', owner = ?, tries = tries + 1,
         lease_until = NOW(3) + INTERVAL ? SECOND, n_accepted = 0, n_rejected = 0
       WHERE tenant_id = ? AND id = ? AND ${isFree}`,
      [owner, leaseSeconds, tenantId, id],
    );
    if (affectedRows === 0) return undefined;
    await tx.write('DELETE FROM import_errors WHERE tenant_id = ? AND import_id = ?', [tenantId, id]);
    return { tenantId, id, listId, owner, ...parseFormat(candidate.format) };
  });
}

async function giveUp(db: Database, { tenantId, id }: Candidate): Promise<void> {
  await db.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'failed', failure = ?, owner = NULL, finished_at = NOW(3),
       lease_until = NOW(3) WHERE tenant_id = ? AND id = ? AND ${isFree}`,
    [`It was tried ${maxTries} times without getting any further`, tenantId, id],
  );
}
