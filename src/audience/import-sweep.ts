/** What an import leaves behind: uploads that nobody finishes, and the blocks of those that have ended. */
import type { Database } from '../platform/mysql.ts';
import { removeBlocks } from './import-blocks.ts';
import type { ImportKey } from './import-store.ts';

/**
 * Fails uploads whose lease is over and removes the blocks of ended imports; says how many it dealt with. An ended
 * import keeps a lease until its blocks are gone: if we die between, the next sweep goes on. Any number may sweep at once.
 */
export async function sweepImports(db: Database): Promise<number> {
  await failAbandonedUploads(db);
  const ended = await findEnded(db);
  for (const key of ended) {
    await removeBlocks(db, key);
    await db.write(
      'UPDATE imports FORCE INDEX (PRIMARY) SET lease_until = NULL WHERE tenant_id = ? AND id = ?',
      [key.tenantId, key.id],
    );
  }
  return ended.length;
}

/**
 * Looked for without a lock, then taken by the primary key. One UPDATE by the index would lock entries of it before their rows, where an upload that
 * renews its lease locks its row first: a deadlock, every few seconds of a long upload.
 */
async function failAbandonedUploads(db: Database): Promise<void> {
  const isAbandoned = `state = 'receiving' AND lease_until < NOW(3)`;
  const abandoned = await db.rows<ImportKey>(
    `SELECT tenant_id AS tenantId, id FROM imports WHERE ${isAbandoned} LIMIT 10`,
  );
  for (const { tenantId, id } of abandoned)
    await db.write(
      `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'failed', failure = 'The upload broke off before its end',
         finished_at = NOW(3), lease_until = NOW(3)
       WHERE tenant_id = ? AND id = ? AND ${isAbandoned}`,
      [tenantId, id],
    );
}

async function findEnded(db: Database): Promise<ImportKey[]> {
  return db.rows<ImportKey>(
    `SELECT tenant_id AS tenantId, id FROM imports
     WHERE state IN ('done', 'failed', 'cancelled') AND lease_until IS NOT NULL LIMIT 10`,
  );
}
