/** Rows of api_keys: the hash of each secret, never the secret. A revoked key stays as a row that finds nobody. */
import type { KeyIdentity } from '../http/principal.ts';
import type { GrantedScope } from '../http/route.ts';
import { type ApiKeyId, newId, type TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';

export interface ApiKey {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly GrantedScope[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly GrantedScope[];
  readonly hash: Buffer;
  readonly hint: string;
}

type Row = Omit<ApiKey, 'scopes'> & { readonly scopes: string };

const columns =
  'id, name, hint, scopes, created_at AS createdAt, last_used_at AS lastUsedAt, revoked_at AS revokedAt';

export async function insertApiKey(sql: Sql, tenantId: TenantId, key: NewApiKey): Promise<ApiKeyId> {
  return insertWithNewId(
    () => newId('apiKey'),
    (id) =>
      sql.write(
        `INSERT INTO api_keys (id, tenant_id, name, key_hash, hint, scopes, created_at)
         VALUES (?, ?, ?, ?, ?, ?, NOW(3))`,
        [id, tenantId, key.name, key.hash, key.hint, key.scopes.join(' ')],
      ),
  );
}

export async function findApiKey(sql: Sql, tenantId: TenantId, id: ApiKeyId): Promise<ApiKey | undefined> {
  const row = await sql.first<Row>(`SELECT ${columns} FROM api_keys WHERE tenant_id = ? AND id = ?`, [
    tenantId,
    id,
  ]);
  return row && toApiKey(row);
}

export async function listApiKeys(
  sql: Sql,
  tenantId: TenantId,
  page: { afterId: number; limit: number },
): Promise<ApiKey[]> {
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM api_keys WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`,
    [tenantId, page.afterId, page.limit],
  );
  return rows.map(toApiKey);
}

/** Says whether the tenant has such a key; revoking twice changes nothing. */
export async function revokeApiKey(sql: Sql, tenantId: TenantId, id: ApiKeyId): Promise<boolean> {
  const { affectedRows } = await sql.write(
    'UPDATE api_keys SET revoked_at = COALESCE(revoked_at, NOW(3)) WHERE tenant_id = ? AND id = ?',
    [tenantId, id],
  );
  return affectedRows === 1;
}

/** Who bears the key of that hash: the one query that is not scoped to a tenant, as it tells the tenant. */
export async function findBearer(
  sql: Sql,
  hash: Buffer,
): Promise<(KeyIdentity & { hash: Buffer }) | undefined> {
  const row = await sql.first<{ id: ApiKeyId; tenantId: TenantId; scopes: string; hash: Buffer }>(
    `SELECT id, tenant_id AS tenantId, scopes, key_hash AS hash FROM api_keys
     WHERE key_hash = ? AND revoked_at IS NULL`,
    [hash],
  );
  return row && { tenantId: row.tenantId, apiKeyId: row.id, scopes: readScopes(row.scopes), hash: row.hash };
}

function toApiKey(row: Row): ApiKey {
  return { ...row, scopes: readScopes(row.scopes) };
}

function readScopes(text: string): GrantedScope[] {
  return text.split(' ') as GrantedScope[];
}
