/** Rows of tenants. Only the admin's calls read across tenants. */
import { newId, type TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  /** Share of contended destinations; 100 is usual. */
  readonly weight: number;
  /** No faster than so many messages a second, over all destinations; null: no such limit. */
  readonly maxPerSecond: number | null;
  readonly createdAt: Date;
}

const columns = 'id, name, weight, per_second AS maxPerSecond, created_at AS createdAt';

export type NewTenant = Pick<Tenant, 'name' | 'weight'> & Partial<Pick<Tenant, 'maxPerSecond'>>;

export async function insertTenant(sql: Sql, tenant: NewTenant): Promise<TenantId> {
  return insertWithNewId(
    () => newId('tenant'),
    (id) =>
      sql.write(
        'INSERT INTO tenants (id, name, weight, per_second, created_at) VALUES (?, ?, ?, ?, NOW(3))',
        [...[id, tenant.name, tenant.weight, tenant.maxPerSecond ?? null]],
      ),
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

export type TenantChange = { readonly [Field in keyof NewTenant]?: NewTenant[Field] | undefined };

/** Changes what is given; says whether the tenant is there. The dispatcher goes by the new weight and limit from its next pass on. */
export async function updateTenant(sql: Sql, id: TenantId, change: TenantChange): Promise<boolean> {
  const { name = null, weight = null, maxPerSecond } = change;
  const { affectedRows } = await sql.write(
    `UPDATE tenants SET name = COALESCE(?, name), weight = COALESCE(?, weight), per_second = IF(?, ?, per_second) WHERE id = ?`,
    [name, weight, maxPerSecond !== undefined, maxPerSecond ?? null, id],
  );
  return affectedRows === 1;
}
