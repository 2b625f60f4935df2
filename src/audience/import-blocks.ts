/**
 * The bytes of an upload, in rows of 1 MiB. MySQL is the only store that the API's replicas and the runners share; a
 * file spooled to a replica's disk would die with it.
 */
import type { Database, Sql } from '../platform/mysql.ts';
import { type ImportKey, uploadLeaseSeconds } from './import-store.ts';

export const blockBytes = 1_048_576;

/**
 * Stores a block and renews the upload's lease. False when the import is no longer being received: stop reading. The row is
 * locked first: a block never follows the sweeper that cleared up after a cancelled import.
 */
export async function appendBlock(
  db: Database,
  { tenantId, id }: ImportKey,
  block: { readonly number: number; readonly data: Buffer },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { affectedRows } = await tx.write(
      `UPDATE imports FORCE INDEX (PRIMARY) SET received_bytes = received_bytes + ?, lease_until = NOW(3) + INTERVAL ? SECOND
       WHERE tenant_id = ? AND id = ? AND state = 'receiving'`,
      [block.data.length, uploadLeaseSeconds, tenantId, id],
    );
    if (affectedRows === 0) return false;
    await tx.write('INSERT INTO import_blocks (tenant_id, import_id, block_no, data) VALUES (?, ?, ?, ?)', [
      tenantId,
      id,
      block.number,
      block.data,
    ]);
    return true;
  });
}

/** In order. One block is in memory at a time. */
export async function* readBlocks(sql: Sql, { tenantId, id }: ImportKey): AsyncGenerator<Buffer> {
  for (let number = 0; ; number++) {
    const block = await sql.first<{ data: Buffer }>(
      'SELECT data FROM import_blocks WHERE tenant_id = ? AND import_id = ? AND block_no = ?',
      [tenantId, id, number],
    );
    if (!block) return;
    yield block.data;
  }
}

/** Sixteen at a time, so that no transaction undoes gigabytes. */
export async function removeBlocks(sql: Sql, { tenantId, id }: ImportKey): Promise<void> {
  for (;;) {
    const { affectedRows } = await sql.write(
      'DELETE FROM import_blocks WHERE tenant_id = ? AND import_id = ? LIMIT 16',
      [tenantId, id],
    );
    if (affectedRows < 16) return;
  }
}
