/** Who must not be sent to, and why: by address hash, so that it outlives the profile and holds no address. */
import type { ListId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';

/** From the weakest to the strongest: a later reason replaces an earlier one, never the other way. */
export const suppressionReasons = [
  'user_suppressed',
  'unsubscribe',
  'invalid_email',
  'hard_bounce',
  'complaint',
  'erased',
] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** Every message of the tenant, or those to one list. */
export type SuppressionScope = '*' | `list:${number}`;

export interface SuppressionEntry {
  readonly addressHash: Buffer;
  readonly scope: SuppressionScope;
  readonly reason: SuppressionReason;
  /** What told us, for people: `api`, `unsubscribe_link`, a feedback source. At most 64 ASCII characters. */
  readonly source: string;
}

export interface Suppression extends SuppressionEntry {
  readonly at: Date;
  /** Of the profile that has the address now, if any. */
  readonly email: string | null;
}

export function listScope(listId: ListId): SuppressionScope {
  return `list:${listId}`;
}

export function listOfScope(scope: SuppressionScope): ListId | '*' {
  return scope === '*' ? '*' : (Number(scope.slice('list:'.length)) as ListId);
}

/**
 * Adds them; where one is there already, the stronger reason stays, so that what a complaint forbids can't be made
 * liftable by suppressing once more. Idempotent. In force for every intent that begins after the commit.
 */
export async function suppressAddresses(
  sql: Sql,
  tenantId: TenantId,
  entries: readonly SuppressionEntry[],
): Promise<void> {
  const inLockOrder = [...entries].sort((a, b) => a.addressHash.compare(b.addressHash));
  for (let start = 0; start < inLockOrder.length; start += entriesPerStatement) {
    await insertEntries(sql, tenantId, inLockOrder.slice(start, start + entriesPerStatement));
  }
}

export type LiftResult =
  | { readonly kind: 'lifted' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'kept'; readonly reason: SuppressionReason };

export interface SuppressionKey {
  readonly tenantId: TenantId;
  readonly addressHash: Buffer;
  readonly scope: SuppressionScope;
}

/** Lifts only what a user of the tenant suppressed by hand: the rest is the recipient's or the receiver's word. */
export async function liftSuppression(
  sql: Sql,
  { tenantId, addressHash, scope }: SuppressionKey,
): Promise<LiftResult> {
  const key = [tenantId, addressHash, scope];
  const { affectedRows } = await sql.write(
    `DELETE FROM suppressions WHERE tenant_id = ? AND address_hash = ? AND scope = ? AND reason = 'user_suppressed'`,
    key,
  );
  if (affectedRows > 0) return { kind: 'lifted' };
  const row = await sql.first<{ reason: SuppressionReason }>(
    'SELECT reason FROM suppressions WHERE tenant_id = ? AND address_hash = ? AND scope = ?',
    key,
  );
  return row ? { kind: 'kept', reason: row.reason } : { kind: 'absent' };
}

/** In key order, from behind `after`; of one address only when `addressHash` is given. */
export async function listSuppressions(
  sql: Sql,
  query: {
    readonly tenantId: TenantId;
    readonly after?: { readonly addressHash: Buffer; readonly scope: string } | undefined;
    readonly addressHash?: Buffer | undefined;
    readonly limit: number;
  },
): Promise<Suppression[]> {
  const { tenantId, after = beforeAll, addressHash, limit } = query;
  const [filter, values] = addressHash ? ['AND s.address_hash = ?', [addressHash]] : ['', []];
  const rows = await sql.rows<SuppressionRow>(
    `SELECT s.address_hash AS addressHash, s.scope, s.reason, s.source, s.at, p.email
     FROM suppressions s LEFT JOIN profiles p ON p.tenant_id = s.tenant_id AND p.email_hash = s.address_hash
     WHERE s.tenant_id = ? AND s.address_hash >= ? AND (s.address_hash > ? OR s.scope > ?) ${filter}
     ORDER BY s.address_hash, s.scope LIMIT ?`,
    [tenantId, after.addressHash, after.addressHash, after.scope, ...values, limit],
  );
  return rows;
}

type SuppressionRow = Suppression;

const beforeAll = { addressHash: Buffer.alloc(16), scope: '' };
const entriesPerStatement = 1_000;
const strength = `'${suppressionReasons.join("','")}'`;
const isStronger = `FIELD(VALUES(reason), ${strength}) > FIELD(reason, ${strength})`;

/** The assignments take effect from left to right: `reason`, which the others compare, comes last. */
async function insertEntries(sql: Sql, tenantId: TenantId, entries: readonly SuppressionEntry[]) {
  const places = entries.map(() => '(?, NOW(3))').join(', ');
  await sql.write(
    `INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at) VALUES ${places}
     ON DUPLICATE KEY UPDATE at = IF(${isStronger}, VALUES(at), at),
       source = IF(${isStronger}, VALUES(source), source), reason = IF(${isStronger}, VALUES(reason), reason)`,
    entries.map(({ addressHash, scope, reason, source }) => [tenantId, addressHash, scope, reason, source]),
  );
}
