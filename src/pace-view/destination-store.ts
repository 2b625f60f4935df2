/** Destinations with what their transports say of them: those that a tenant sees, those of its lanes, or all. */
import type { TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import type { DestinationMode } from '../transports/destination-key.ts';
import { type TransportLimits, transportLimits } from '../transports/smtp-settings.ts';

/** Whose view it is: a tenant's, or the operator's of the whole installation. */
export type Viewer = TenantId | 'admin';

export interface StoredDestination {
  readonly id: number;
  readonly name: string;
  readonly transportId: number;
  readonly transportName: string;
  /** Its transport is the platform's: other tenants send by it, too. */
  readonly isPlatform: boolean;
  readonly mode: DestinationMode;
  readonly limits: TransportLimits;
}

export interface DestinationPage {
  readonly afterId: number;
  readonly limit: number;
}

/** The columns that `toDestination` reads, of destinations `d` and transports `t`. */
export const destinationColumns = `d.id, d.name, t.id AS transportId, t.name AS transportName, t.tenant_id AS transportOwner,
  t.destination_mode AS mode, t.limits`;

export interface DestinationRow {
  readonly id: number;
  readonly name: string;
  readonly transportId: number;
  readonly transportName: string;
  readonly transportOwner: number | null;
  readonly mode: DestinationMode;
  readonly limits: string;
}

export function toDestination(row: DestinationRow): StoredDestination {
  const { id, name, transportId, transportName, transportOwner, mode, limits } = row;
  const isPlatform = transportOwner === null;
  return {
    ...{ id, name, transportId, transportName, isPlatform, mode },
    limits: transportLimits.parse(JSON.parse(limits)),
  };
}

export async function listDestinations(
  sql: Sql,
  viewer: Viewer,
  page: DestinationPage,
): Promise<StoredDestination[]> {
  const rows = viewer === 'admin' ? await listAll(sql, page) : await listSeen(sql, viewer, page);
  return rows.map(toDestination);
}

function listAll(sql: Sql, { afterId, limit }: DestinationPage): Promise<DestinationRow[]> {
  return sql.rows(
    `SELECT ${destinationColumns} FROM destinations d JOIN transports t ON t.id = d.transport_id
     WHERE d.id > ? AND t.deleted_at IS NULL ORDER BY d.id LIMIT ?`,
    [afterId, limit],
  );
}

/**
 * All destinations of the tenant's own transports, and those of the platform's on which it has lanes: of the others it learns not even that they
 * are there. Costs the tenant's destinations: `transports.by_tenant`, then `destinations.by_name`; lanes by their primary key.
 */
function listSeen(
  sql: Sql,
  tenantId: TenantId,
  { afterId, limit }: DestinationPage,
): Promise<DestinationRow[]> {
  return sql.rows(
    `SELECT ${destinationColumns} FROM (
       (SELECT o.id FROM transports w JOIN destinations o ON o.transport_id = w.id
        WHERE w.tenant_id = ? AND w.deleted_at IS NULL AND o.id > ? ORDER BY o.id LIMIT ?)
       UNION DISTINCT
       (SELECT DISTINCT l.destination_id FROM lanes l JOIN destinations o ON o.id = l.destination_id
          JOIN transports w ON w.id = o.transport_id
        WHERE l.tenant_id = ? AND l.destination_id > ? AND w.tenant_id IS NULL AND w.deleted_at IS NULL
        ORDER BY l.destination_id LIMIT ?)) seen
     JOIN destinations d ON d.id = seen.id JOIN transports t ON t.id = d.transport_id ORDER BY d.id LIMIT ?`,
    [tenantId, afterId, limit, tenantId, afterId, limit, limit],
  );
}

/** Those of its own transports and of the platform's among them; the transport may be deleted. */
export async function readDestinations(
  sql: Sql,
  tenantId: TenantId,
  ids: readonly number[],
): Promise<StoredDestination[]> {
  if (ids.length === 0) return [];
  const rows = await sql.rows<DestinationRow>(
    `SELECT ${destinationColumns} FROM destinations d JOIN transports t ON t.id = d.transport_id
     WHERE d.id IN (?) AND (t.tenant_id = ? OR t.tenant_id IS NULL)`,
    [ids, tenantId],
  );
  return rows.map(toDestination);
}
