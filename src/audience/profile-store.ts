/** Reading profiles, changing one by its id, and telling which of a batch are new. Erased profiles are not there. */
import { AppError } from '../errors.ts';
import type { ListId, ProfileId, TenantId } from '../ids.ts';
import { type Database, isDuplicateKey, type Sql } from '../platform/mysql.ts';
import { type Attributes, findAttributeProblem, mergeAttributes } from './attributes.ts';
import type { Consent, Profile, ProfileChange } from './profile.ts';

export interface ProfilePage {
  readonly tenantId: TenantId;
  readonly afterId: number;
  readonly limit: number;
}

export async function findProfile(sql: Sql, tenantId: TenantId, id: ProfileId): Promise<Profile | undefined> {
  const row = await sql.first<ProfileRow>(
    `SELECT ${columns} FROM profiles p WHERE p.tenant_id = ? AND p.id = ? AND p.erased_at IS NULL`,
    [tenantId, id],
  );
  return row && toProfile(row);
}

export async function findProfileByHash(
  sql: Sql,
  tenantId: TenantId,
  addressHash: Buffer,
): Promise<Profile | undefined> {
  const row = await sql.first<ProfileRow>(
    `SELECT ${columns} FROM profiles p WHERE p.tenant_id = ? AND p.email_hash = ?`,
    [tenantId, addressHash],
  );
  return row && toProfile(row);
}

/** In order of their ids. */
export async function listProfiles(sql: Sql, page: ProfilePage): Promise<Profile[]> {
  const rows = await sql.rows<ProfileRow>(
    `SELECT ${columns} FROM profiles p
     WHERE p.tenant_id = ? AND p.id > ? AND p.erased_at IS NULL ORDER BY p.id LIMIT ?`,
    [page.tenantId, page.afterId, page.limit],
  );
  return rows.map(toProfile);
}

export async function listProfilesOfList(sql: Sql, page: ProfilePage, listId: ListId): Promise<Profile[]> {
  const rows = await sql.rows<ProfileRow>(
    `SELECT ${columns} FROM list_members m JOIN profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id
     WHERE m.tenant_id = ? AND m.list_id = ? AND m.profile_id > ? AND p.erased_at IS NULL
     ORDER BY m.profile_id LIMIT ?`,
    [page.tenantId, listId, page.afterId, page.limit],
  );
  return rows.map(toProfile);
}

/** Hex hash -> id of those that exist. At most `maxHashesPerStatement` hashes. */
export async function findProfileIds(
  sql: Sql,
  tenantId: TenantId,
  addressHashes: readonly Buffer[],
): Promise<Map<string, ProfileId>> {
  if (addressHashes.length === 0) return new Map();
  const rows = await sql.rows<{ id: ProfileId; hash: Buffer }>(
    'SELECT id, email_hash AS hash FROM profiles WHERE tenant_id = ? AND email_hash IN (?)',
    [tenantId, addressHashes],
  );
  return new Map(rows.map((row) => [row.hash.toString('hex'), row.id]));
}

/** Which of the ids are profiles that are not erased. At most `maxHashesPerStatement`. */
export async function findProfilesThatExist(
  sql: Sql,
  tenantId: TenantId,
  ids: readonly ProfileId[],
): Promise<ReadonlySet<ProfileId>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.rows<{ id: ProfileId }>(
    'SELECT id FROM profiles WHERE tenant_id = ? AND id IN (?) AND erased_at IS NULL',
    [tenantId, ids],
  );
  return new Set(rows.map((row) => row.id));
}

export interface ProfileUpdate {
  readonly change: ProfileChange;
  /** Both or neither: a new address has a new hash. */
  readonly address?: { readonly email: string; readonly hash: Buffer } | undefined;
}

/** Changes one profile under its lock. Throws `conflict` when another has the new address, `invalid_request` beyond the limits. */
export async function updateProfile(
  db: Database,
  { tenantId, id }: { readonly tenantId: TenantId; readonly id: ProfileId },
  update: ProfileUpdate,
): Promise<Profile | undefined> {
  try {
    return await db.transaction(async (tx) => {
      const row = await tx.first<ProfileRow>(
        `SELECT ${columns} FROM profiles p WHERE p.tenant_id = ? AND p.id = ? AND p.erased_at IS NULL FOR UPDATE`,
        [tenantId, id],
      );
      if (!row) return undefined;
      await writeUpdate(tx, tenantId, toProfile(row), update);
      return findProfile(tx, tenantId, id);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('conflict', { detail: 'Another profile has this email address', cause: error });
  }
}

interface ProfileRow {
  readonly id: ProfileId;
  readonly email: string;
  readonly phone: string | null;
  readonly time_zone: string | null;
  readonly consent: string | null;
  readonly attributes: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = 'p.id, p.email, p.phone, p.time_zone, p.consent, p.attributes, p.created_at, p.updated_at';

function toProfile(row: ProfileRow): Profile {
  return {
    id: row.id,
    email: row.email,
    phone: row.phone,
    timeZone: row.time_zone,
    consent: row.consent === null ? null : (JSON.parse(row.consent) as Consent),
    attributes: row.attributes === null ? {} : (JSON.parse(row.attributes) as Attributes),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

async function writeUpdate(tx: Sql, tenantId: TenantId, old: Profile, update: ProfileUpdate): Promise<void> {
  const { phone, timeZone, consent, attributes } = { ...old, ...withoutAbsent(update.change) };
  const merged = update.change.attributes ? mergeAttributes(old.attributes, attributes) : old.attributes;
  assertWithinLimits(merged);
  await tx.write(
    `UPDATE profiles FORCE INDEX (PRIMARY) SET phone = ?, time_zone = ?, consent = ?, attributes = ?, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ?`,
    [phone, timeZone, consent && JSON.stringify(consent), JSON.stringify(merged), tenantId, old.id],
  );
  if (!update.address) return;
  await tx.write(
    'UPDATE profiles FORCE INDEX (PRIMARY) SET email = ?, email_hash = ? WHERE tenant_id = ? AND id = ?',
    [update.address.email, update.address.hash, tenantId, old.id],
  );
}

function withoutAbsent(change: ProfileChange): Partial<Profile> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function assertWithinLimits(attributes: Attributes): void {
  const problem = findAttributeProblem(attributes);
  if (!problem) return;
  throw new AppError('invalid_request', {
    errors: [{ pointer: '/attributes', detail: `with what is stored: ${problem.detail}` }],
  });
}
