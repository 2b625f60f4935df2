/** Keys of sending domains as rows: at most `mostKeys` of each tenant, so that they are read whole. */
import type { DkimAlgorithm } from '../dkim/sign-message.ts';
import type { SendingDomainId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';

/** Keys, not domains: a domain has two while its key is rotated, four with two algorithms. */
export const mostKeys = 200;

export interface SendingDomain {
  readonly tenantId: TenantId;
  readonly id: SendingDomainId;
  /** Lower-case A-labels, as From has it. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  /** Base64, as the DNS record has it. */
  readonly publicKey: string;
  /** It signs. Of a domain's keys of one algorithm at most one does. */
  readonly isActive: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DomainKey {
  readonly tenantId: TenantId;
  readonly id: SendingDomainId;
}

export interface NewSendingDomain
  extends Pick<SendingDomain, 'tenantId' | 'id' | 'domain' | 'selector' | 'algorithm' | 'publicKey'> {
  /** Sealed. */
  readonly privateKey: Buffer;
}

/** False when the tenant has `mostKeys` already (two that come at the same moment may make one more). It doesn't sign yet. */
export async function insertSendingDomain(sql: Sql, row: NewSendingDomain): Promise<boolean> {
  const { tenantId, id, domain, selector, algorithm, privateKey, publicKey } = row;
  const { affectedRows } = await sql.write(
    `INSERT INTO sending_domains (tenant_id, id, domain, selector, algorithm, private_key, public_key, created_at, updated_at)
     SELECT ?, ?, ?, ?, ?, ?, ?, NOW(3), NOW(3) FROM DUAL
     WHERE (SELECT COUNT(*) FROM sending_domains d WHERE d.tenant_id = ?) < ?`,
    [tenantId, id, domain, selector, algorithm, privateKey, publicKey, tenantId, mostKeys],
  );
  return affectedRows === 1;
}

export async function findSendingDomain(
  sql: Sql,
  { tenantId, id }: DomainKey,
): Promise<SendingDomain | undefined> {
  const row = await sql.first<Row>(`SELECT ${columns} FROM sending_domains WHERE tenant_id = ? AND id = ?`, [
    tenantId,
    id,
  ]);
  return row && toSendingDomain(row);
}

export interface SendingDomainPage {
  readonly domain: string | undefined;
  readonly afterId: number;
  readonly limit: number;
}

/** By the primary key: a tenant's rows are few, so those of one domain are picked from them. */
export async function listSendingDomains(
  sql: Sql,
  tenantId: TenantId,
  { domain, afterId, limit }: SendingDomainPage,
): Promise<SendingDomain[]> {
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM sending_domains WHERE tenant_id = ? AND id > ? AND (? IS NULL OR domain = ?)
     ORDER BY id LIMIT ?`,
    [tenantId, afterId, domain ?? null, domain ?? null, limit],
  );
  return rows.map(toSendingDomain);
}

/**
 * This key signs from now on, and no other of its domain and algorithm does. All of them are locked first, by `by_selector`: of two such calls the
 * second waits. False when there is no such key.
 */
export async function activateSendingDomain(tx: Sql, { tenantId, id }: DomainKey): Promise<boolean> {
  const seen = await findSendingDomain(tx, { tenantId, id });
  if (!seen) return false;
  const { domain, algorithm } = seen;
  await tx.rows('SELECT 1 FROM sending_domains WHERE tenant_id = ? AND domain = ? FOR UPDATE', [
    tenantId,
    domain,
  ]);
  await tx.write(
    `UPDATE sending_domains SET is_active = (id = ?), version = version + 1, updated_at = NOW(3)
     WHERE tenant_id = ? AND domain = ? AND algorithm = ? AND is_active <> (id = ?)`,
    [id, tenantId, domain, algorithm, id],
  );
  return true;
}

export async function deactivateSendingDomain(sql: Sql, { tenantId, id }: DomainKey): Promise<void> {
  await sql.write(
    `UPDATE sending_domains SET is_active = 0, version = version + 1, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ? AND is_active = 1`,
    [tenantId, id],
  );
}

/** False when it signs, or isn't there. */
export async function deleteSendingDomain(sql: Sql, { tenantId, id }: DomainKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    'DELETE FROM sending_domains WHERE tenant_id = ? AND id = ? AND is_active = 0',
    [tenantId, id],
  );
  return affectedRows === 1;
}

/** A key that signs, still sealed. */
export type SealedKey = Pick<SendingDomain, 'tenantId' | 'id' | 'domain' | 'selector' | 'algorithm'> & {
  readonly privateKey: Buffer;
};

/** Those that sign; all of the tenant's, or of one domain. RSA before Ed25519: what more verifiers know comes first. */
export function readSigningKeys(sql: Sql, tenantId: TenantId, domain?: string): Promise<SealedKey[]> {
  return sql.rows<SealedKey>(
    `SELECT tenant_id AS tenantId, id, domain, selector, algorithm, private_key AS privateKey FROM sending_domains
     WHERE tenant_id = ? AND is_active = 1 AND (? IS NULL OR domain = ?) ORDER BY algorithm DESC, id LIMIT ?`,
    [tenantId, domain ?? null, domain ?? null, 2 * mostKeys],
  );
}

/** A text for each tenant that has keys; it differs when one was added, changed or deleted. */
export async function readKeyStamps(
  sql: Sql,
  tenantIds: readonly TenantId[],
): Promise<ReadonlyMap<TenantId, string>> {
  if (tenantIds.length === 0) return new Map();
  const rows = await sql.rows<{ tenantId: TenantId; stamp: string }>(
    `SELECT tenant_id AS tenantId, CONCAT_WS('-', COUNT(*), SUM(version), SUM(id)) AS stamp FROM sending_domains
     WHERE tenant_id IN (?) GROUP BY tenant_id`,
    [tenantIds],
  );
  return new Map(rows.map(({ tenantId, stamp }) => [tenantId, stamp]));
}

const columns = `tenant_id AS tenantId, id, domain, selector, algorithm, public_key AS publicKey, is_active AS isActive, version,
  created_at AS createdAt, updated_at AS updatedAt`;

type Row = Omit<SendingDomain, 'isActive'> & { readonly isActive: number };

function toSendingDomain(row: Row): SendingDomain {
  return { ...row, isActive: row.isActive === 1 };
}
