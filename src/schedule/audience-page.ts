/**
 * One page of a campaign's audience, by keyset: the next profiles after the cursor, in order of their ids.
 *
 * Each list is read by its own primary key from the cursor on, and the smallest ids of all lists together make the page: a profile in two
 * lists comes once, and a page costs as much as its rows, however many profiles the tenant has. Who joins a list behind the cursor is
 * left out; profiles that were erased have no address and are passed over. Suppressions are not looked at: whoever is suppressed, or has left all
 * of these lists that they are on, has a delivery like all others, and the intent settles it as `suppressed` with its reason.
 */
import type { Sql } from '../platform/mysql.ts';

export interface AudienceProfile {
  readonly id: number;
  readonly email: string;
  readonly emailHash: Buffer;
}

export interface Audience {
  readonly includedLists: readonly number[];
  readonly excludedLists: readonly number[];
}

export interface AudiencePage {
  readonly profiles: readonly AudienceProfile[];
  /** The cursor after this page; undefined when the audience ends with it. */
  readonly nextCursor: number | undefined;
}

export async function readAudiencePage(
  sql: Sql,
  tenantId: number,
  audience: Audience,
  cursor: number,
  limit: number,
): Promise<AudiencePage> {
  const ids = await readMemberIds(sql, tenantId, audience.includedLists, cursor, limit);
  const last = ids.at(-1);
  if (last === undefined) return { profiles: [], nextCursor: undefined };
  const profiles = await readProfiles(sql, tenantId, audience.excludedLists, ids);
  return { profiles, nextCursor: ids.length < limit ? undefined : last };
}

async function readMemberIds(
  sql: Sql,
  tenantId: number,
  lists: readonly number[],
  cursor: number,
  limit: number,
): Promise<readonly number[]> {
  if (lists.length === 0) return [];
  const perList = lists.map(
    () =>
      '(SELECT profile_id FROM list_members WHERE tenant_id = ? AND list_id = ? AND profile_id > ? ORDER BY profile_id LIMIT ?)',
  );
  const rows = await sql.rows<{ profile_id: number }>(
    `${perList.join(' UNION DISTINCT ')} ORDER BY profile_id LIMIT ?`,
    [...lists.flatMap((list) => [tenantId, list, cursor, limit]), limit],
  );
  return rows.map((row) => row.profile_id);
}

async function readProfiles(
  sql: Sql,
  tenantId: number,
  excludedLists: readonly number[],
  ids: readonly number[],
): Promise<readonly AudienceProfile[]> {
  const rows: ProfileRow[] = [];
  for (let at = 0; at < ids.length; at += idsPerQuery) {
    const some = ids.slice(at, at + idsPerQuery);
    rows.push(...(await readSome(sql, tenantId, excludedLists, some)));
  }
  return rows.map((row) => ({ id: row.id, email: row.email, emailHash: row.email_hash }));
}

type ProfileRow = { id: number; email: string; email_hash: Buffer };

/** MariaDB turns a list of a thousand or more into a subquery, and may then read all profiles of the tenant to match it. */
const idsPerQuery = 900;

function readSome(
  sql: Sql,
  tenantId: number,
  excludedLists: readonly number[],
  ids: readonly number[],
): Promise<readonly ProfileRow[]> {
  const excluded =
    excludedLists.length === 0
      ? ''
      : `AND NOT EXISTS (SELECT 1 FROM list_members x WHERE x.tenant_id = p.tenant_id AND x.list_id IN (?) AND x.profile_id = p.id)`;
  return sql.rows<ProfileRow>(
    `SELECT p.id, p.email, p.email_hash FROM profiles p
     WHERE p.tenant_id = ? AND p.id IN (?) AND p.email IS NOT NULL ${excluded} ORDER BY p.id`,
    [tenantId, ids, ...(excludedLists.length === 0 ? [] : [excludedLists])],
  );
}
