/** Transports as rows. A tenant uses its own and the platform's; only the platform's admin changes the latter. */
import type { TenantId, TransportId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import {
  type SmtpSettings,
  smtpSettings,
  type TransportLimits,
  transportLimits,
} from '../transports/smtp-settings.ts';

/** Null: the platform's. */
export type TransportOwner = TenantId | null;

export interface StoredTransport {
  readonly id: TransportId;
  readonly tenantId: TransportOwner;
  readonly name: string;
  readonly kind: 'smtp';
  readonly settings: SmtpSettings;
  readonly limits: TransportLimits;
  /** Sealed; null without one. */
  readonly secret: Buffer | null;
  readonly destinationMode: 'transport' | 'provider';
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type TransportFields = Pick<
  StoredTransport,
  'name' | 'settings' | 'limits' | 'secret' | 'destinationMode'
>;

export async function insertTransport(
  sql: Sql,
  { id, owner }: { readonly id: TransportId; readonly owner: TransportOwner },
  fields: TransportFields,
): Promise<void> {
  await sql.write(
    `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, secret, destination_mode, created_at, updated_at)
     VALUES (?, ?, ?, 'smtp', ?, ?, ?, ?, NOW(3), NOW(3))`,
    [id, owner, ...valuesOf(fields)],
  );
}

/** One that the tenant may use: its own or the platform's. */
export async function readTransport(
  sql: Sql,
  tenantId: TenantId,
  id: TransportId,
): Promise<StoredTransport | undefined> {
  const row = await sql.first<Row>(
    `SELECT ${columns} FROM transports WHERE id = ? AND (tenant_id = ? OR tenant_id IS NULL) AND deleted_at IS NULL`,
    [id, tenantId],
  );
  return row && toTransport(row);
}

/** One that the owner may change: `<=>` also compares null with null. */
export async function findOwnTransport(
  sql: Sql,
  owner: TransportOwner,
  id: TransportId,
): Promise<StoredTransport | undefined> {
  const row = await sql.first<Row>(
    `SELECT ${columns} FROM transports WHERE id = ? AND tenant_id <=> ? AND deleted_at IS NULL`,
    [id, owner],
  );
  return row && toTransport(row);
}

export interface TransportPage {
  readonly afterId: number;
  readonly limit: number;
}

export async function listUsableTransports(
  sql: Sql,
  tenantId: TenantId,
  { afterId, limit }: TransportPage,
): Promise<StoredTransport[]> {
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM transports WHERE id > ? AND (tenant_id = ? OR tenant_id IS NULL) AND deleted_at IS NULL
     ORDER BY id LIMIT ?`,
    [afterId, tenantId, limit],
  );
  return rows.map(toTransport);
}

export async function listPlatformTransports(
  sql: Sql,
  { afterId, limit }: TransportPage,
): Promise<StoredTransport[]> {
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM transports WHERE id > ? AND tenant_id IS NULL AND deleted_at IS NULL ORDER BY id LIMIT ?`,
    [afterId, limit],
  );
  return rows.map(toTransport);
}

/** Compares and sets the version; false when it has changed since it was read. */
export async function updateTransport(
  sql: Sql,
  seen: StoredTransport,
  fields: TransportFields,
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE transports SET name = ?, settings = ?, limits = ?, secret = ?, destination_mode = ?, version = version + 1,
       updated_at = NOW(3)
     WHERE id = ? AND tenant_id <=> ? AND version = ? AND deleted_at IS NULL`,
    [...valuesOf(fields), seen.id, seen.tenantId, seen.version],
  );
  return affectedRows === 1;
}

/**
 * Deletes one that no scheduled or running campaign uses. The row is locked first, and scheduling share-locks it (`holdTransport`),
 * so that no campaign is scheduled on a transport that goes at the same moment. The row stays, for the deliveries
 * that name it; the secret goes.
 */
export async function deleteTransport(
  tx: Sql,
  owner: TransportOwner,
  id: TransportId,
): Promise<'deleted' | 'absent' | 'in_use'> {
  const row = await tx.first(
    'SELECT 1 FROM transports WHERE id = ? AND tenant_id <=> ? AND deleted_at IS NULL FOR UPDATE',
    [id, owner],
  );
  if (!row) return 'absent';
  if (await isInUse(tx, owner, id)) return 'in_use';
  await tx.write(
    `UPDATE transports SET deleted_at = NOW(3), secret = NULL, version = version + 1
     WHERE id = ? AND tenant_id <=> ?`,
    [id, owner],
  );
  return 'deleted';
}

/** Keeps a transport from being deleted until the transaction ends; false when the tenant can't use it (any more). */
export async function holdTransport(tx: Sql, tenantId: TenantId, id: TransportId): Promise<boolean> {
  const row = await tx.first(
    `SELECT 1 FROM transports WHERE id = ? AND (tenant_id = ? OR tenant_id IS NULL) AND deleted_at IS NULL
     LOCK IN SHARE MODE`,
    [id, tenantId],
  );
  return row !== undefined;
}

/** For the send workers, which serve all tenants: the campaign was checked against it when it was scheduled. */
export async function readAnyTransport(sql: Sql, id: number): Promise<StoredTransport | undefined> {
  const row = await sql.first<Row>(`SELECT ${columns} FROM transports WHERE id = ? AND deleted_at IS NULL`, [
    id,
  ]);
  return row && toTransport(row);
}

export async function readTransportVersions(
  sql: Sql,
  ids: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.rows<{ id: number; version: number }>(
    'SELECT id, version FROM transports WHERE id IN (?) AND deleted_at IS NULL',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.version]));
}

const columns = `id, tenant_id AS tenantId, name, kind, settings, limits, secret, destination_mode AS destinationMode, version,
  created_at AS createdAt, updated_at AS updatedAt`;

type Row = Omit<StoredTransport, 'settings' | 'limits'> & {
  readonly settings: string;
  readonly limits: string;
};

function valuesOf({ name, settings, limits, secret, destinationMode }: TransportFields) {
  return [name, JSON.stringify(settings), JSON.stringify(limits), secret, destinationMode];
}

/** Parsed anew: a setting that came with a later release has its default in older rows. */
function toTransport(row: Row): StoredTransport {
  return {
    ...row,
    settings: smtpSettings.parse(JSON.parse(row.settings)),
    limits: transportLimits.parse(JSON.parse(row.limits)),
  };
}

/** Live campaigns are few, and KEY(state, send_at) finds them. Those of every tenant, for a transport of the platform. */
async function isInUse(tx: Sql, owner: TransportOwner, id: TransportId): Promise<boolean> {
  const row = await tx.first(
    `SELECT 1 FROM campaigns WHERE state IN ('scheduled', 'expanding', 'sending') AND transport_id = ?
       AND (? IS NULL OR tenant_id = ?) LIMIT 1`,
    [id, owner, owner],
  );
  return row !== undefined;
}
