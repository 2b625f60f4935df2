/** Who is on a list. */
import type { ListId, ProfileId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { hexLiteral } from '../platform/sql-literals.ts';
import type { ListKey } from './list-store.ts';

export interface ListMember {
  readonly profileId: ProfileId;
  readonly email: string;
  readonly addedAt: Date;
}

/** Adds those profiles of the tenant that exist and are not erased; who is a member already stays one. At most 900 ids. */
export async function addMembers(sql: Sql, list: ListKey, ids: readonly ProfileId[]): Promise<void> {
  if (ids.length === 0) return;
  await sql.write(
    `${insertMembers} FROM profiles p WHERE p.tenant_id = ? AND p.id IN (?) AND p.erased_at IS NULL ${unlessMember}`,
    [list.id, list.tenantId, ids],
  );
}

/** The same by address hash, for an import: no ids travel to us and back. At most 900 hashes. */
export async function addMembersByHash(sql: Sql, list: ListKey, hexHashes: readonly string[]): Promise<void> {
  if (hexHashes.length === 0) return;
  await sql.write(
    `${insertMembers} FROM profiles p WHERE p.tenant_id = ? AND p.email_hash IN (${hexHashes.map(hexLiteral)}) ${unlessMember}`,
    [list.id, list.tenantId],
  );
}

export async function removeMembers(sql: Sql, list: ListKey, ids: readonly ProfileId[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { affectedRows } = await sql.write(
    'DELETE FROM list_members WHERE tenant_id = ? AND list_id = ? AND profile_id IN (?)',
    [list.tenantId, list.id, ids],
  );
  return affectedRows;
}

/** Which of the ids are on the list. At most 900. */
export async function findMembers(
  sql: Sql,
  list: ListKey,
  ids: readonly ProfileId[],
): Promise<ReadonlySet<ProfileId>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.rows<{ id: ProfileId }>(
    'SELECT profile_id AS id FROM list_members WHERE tenant_id = ? AND list_id = ? AND profile_id IN (?)',
    [list.tenantId, list.id, ids],
  );
  return new Set(rows.map((row) => row.id));
}

/** In order of their profile ids. */
export async function listMembers(
  sql: Sql,
  list: ListKey,
  { afterId, limit }: { afterId: number; limit: number },
): Promise<ListMember[]> {
  return sql.rows<ListMember>(
    `SELECT m.profile_id AS profileId, p.email, m.added_at AS addedAt
     FROM list_members m JOIN profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id
     WHERE m.tenant_id = ? AND m.list_id = ? AND m.profile_id > ? AND p.erased_at IS NULL
     ORDER BY m.profile_id LIMIT ?`,
    [list.tenantId, list.id, afterId, limit],
  );
}

/** One slice of a deleted list's members; says how many went. */
export async function removeMemberSlice(
  sql: Sql,
  list: { readonly tenantId: TenantId; readonly id: ListId },
  sliceSize: number,
): Promise<number> {
  const { affectedRows } = await sql.write(
    'DELETE FROM list_members WHERE tenant_id = ? AND list_id = ? LIMIT ?',
    [list.tenantId, list.id, sliceSize],
  );
  return affectedRows;
}

/** READ COMMITTED: the profiles that are read are not locked. */
const insertMembers = `INSERT INTO list_members (tenant_id, list_id, profile_id, added_at)
  SELECT p.tenant_id, ?, p.id, NOW(3)`;
const unlessMember = 'ON DUPLICATE KEY UPDATE added_at = list_members.added_at';
