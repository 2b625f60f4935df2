/** Rows of tenants. Only the admin's calls read across tenants. */
import { newId, type TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  /** Share of contended destinations; 100 is usual. */
  readonly weight: number;
  readonly createdAt: Date;
}

const columns = 'id, name, weight, created_at AS createdAt';

export async function insertTenant(sql: Sql, tenant: { name: string; weight: number }): Promise<TenantId> {
  return insertWithNewId(
    () => newId('tenant'),
    (id) =>
      sql.write('INSERT INTO tenants (id, name, weight, created_at) VALUES (?, ?, ?, NOW(3))', [
        id,
        tenant.name,
        tenant.weight,
      ]),
  );
}

export function findTenant(sql: Sql, id: TenantId): Promise<Tenant | undefined> {
  return sql.first<Tenant>(`SELECT ${columns} FROM tenants WHERE id = ?`, [id]);
}

/** In order of their ids, which is the order in which they were made. */
export function listTenants(sql: Sql, afterId: number, limit: number): Promise<Tenant[]> {
  return sql.rows<Tenant>(`SELECT ${columns} FROM tenants WHERE id > ? ORDER BY id LIMIT ?`, [
    afterId,
    limit,
  ]);
}

/** Changes what is given; says whether the tenant is there. */
export async function updateTenant(
  sql: Sql,
  id: TenantId,
  change: { name?: string | undefined; weight?: number | undefined },
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    'UPDATE tenants SET name = COALESCE(?, name), weight = COALESCE(?, weight) WHERE id = ?',
    [change.name ?? null, change.weight ?? null, id],
  );
  return affectedRows === 1;
}
