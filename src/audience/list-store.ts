/** Lists by name. Their members are in `list-members.ts`. */
import type { ListId, TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';

export interface List {
  readonly id: ListId;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ListKey {
  readonly tenantId: TenantId;
  readonly id: ListId;
}

/** Throws a duplicate-key error when the id is taken. */
export async function insertList(sql: Sql, { tenantId, id }: ListKey, name: string): Promise<void> {
  await sql.write(
    `INSERT INTO lists (tenant_id, id, name, created_at, updated_at)
     VALUES (?, ?, ?, NOW(3), NOW(3))`,
    [tenantId, id, name],
  );
}

export async function findList(sql: Sql, { tenantId, id }: ListKey): Promise<List | undefined> {
  return sql.first<List>(`SELECT ${columns} FROM lists WHERE tenant_id = ? AND id = ?`, [tenantId, id]);
}

export async function listLists(
  sql: Sql,
  { tenantId, afterId, limit }: { tenantId: TenantId; afterId: number; limit: number },
): Promise<List[]> {
  return sql.rows<List>(`SELECT ${columns} FROM lists WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`, [
    tenantId,
    afterId,
    limit,
  ]);
}

/** False when there is no such list. */
export async function renameList(sql: Sql, { tenantId, id }: ListKey, name: string): Promise<boolean> {
  const { affectedRows } = await sql.write(
    'UPDATE lists SET name = ?, updated_at = NOW(3) WHERE tenant_id = ? AND id = ?',
    [name, tenantId, id],
  );
  return affectedRows > 0;
}

/** Also `in_use`: a campaign that is scheduled or expanding would lose part of its audience without a word. */
export type ListDeletion = 'deleted' | 'unknown' | 'in_use';

/** Which of them are there: none of these can be deleted before the transaction ends. A deletion that is under way is waited for. */
export async function holdLists(
  tx: Sql,
  tenantId: TenantId,
  ids: readonly ListId[],
): Promise<ReadonlySet<ListId>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.rows<{ id: ListId }>(
    'SELECT id FROM lists WHERE tenant_id = ? AND id IN (?) LOCK IN SHARE MODE',
    [tenantId, ids],
  );
  return new Set(rows.map((row) => row.id));
}

/**
 * The row is locked first, and who schedules share-locks it (`holdLists`), so that no campaign is scheduled to a list that goes at the same moment.
 * The list is gone at once; its members follow in slices (`list-sweeper.ts`), because deleting millions of rows in one
 * transaction would hold up everybody. If we die here, the sweeper finds them by their missing list.
 */
export function deleteList(db: Database, { tenantId, id }: ListKey): Promise<ListDeletion> {
  return db.transaction(async (tx) => {
    const list = await tx.first('SELECT 1 FROM lists WHERE tenant_id = ? AND id = ? FOR UPDATE', [
      tenantId,
      id,
    ]);
    if (!list) return 'unknown';
    if (await isListInUse(tx, { tenantId, id })) return 'in_use';
    await tx.write('DELETE FROM lists WHERE tenant_id = ? AND id = ?', [tenantId, id]);
    return 'deleted';
  });
}

async function isListInUse(sql: Sql, { tenantId, id }: ListKey): Promise<boolean> {
  const rows = await sql.rows<{ audience: string }>(
    "SELECT audience FROM campaigns WHERE tenant_id = ? AND state IN ('scheduled', 'expanding')",
    [tenantId],
  );
  return rows.some((row) => {
    const { includedLists, excludedLists } = JSON.parse(row.audience) as Record<string, readonly number[]>;
    return includedLists?.includes(id) || excludedLists?.includes(id);
  });
}

const columns = 'id, name, created_at AS createdAt, updated_at AS updatedAt';
