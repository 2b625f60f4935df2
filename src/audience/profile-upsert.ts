/**
 * Many profiles in one statement, new or not, in one transaction with whatever must come and go with them.
 *
 * The merge happens inside the upsert (JSON_MERGE_PATCH), not by reading first: two writers of one profile then lose
 * nothing to each other, and an import pays no read. What a patch clears can't be told from what it leaves in a VALUES
 * list, so a cleared field is written as '' and a cleared attribute as null, and one more statement turns both into
 * absence before the commit. Rows of one statement apply in order: an address that comes twice is merged twice.
 *
 * A merge that outgrows the limits makes its statement fail, by a NULL where none may be. Reading every updated row again
 * to see whether it did cost a fifth of an update's time; now only a batch that failed pays for finding out which.
 */
import type { TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { hexLiteral, textLiteral } from '../platform/sql-literals.ts';
import { maxAttributeBytes, maxAttributes } from './attributes.ts';
import type { ProfilePatch } from './profile.ts';

export interface SavedProfiles {
  /** Hex hashes of those whose attributes would have grown beyond the limits; nothing of theirs was written. */
  readonly oversized: ReadonlySet<string>;
}

/**
 * Upserts `patches`; `alongside` runs in the same transaction with those that were written. Idempotent. Deadlocks with
 * other writers of the same profiles are tried again by the transaction.
 */
export async function saveProfiles(
  db: Database,
  { tenantId, patches }: { readonly tenantId: TenantId; readonly patches: readonly ProfilePatch[] },
  alongside: (tx: Sql, saved: readonly ProfilePatch[]) => Promise<void> = async () => {},
): Promise<SavedProfiles> {
  const oversized = new Set<string>();
  for (;;) {
    const rest = oversized.size === 0 ? patches : patches.filter(({ hexHash }) => !oversized.has(hexHash));
    try {
      await db.transaction(async (tx) => {
        await upsertProfiles(tx, tenantId, rest);
        await alongside(tx, rest);
      });
      return { oversized };
    } catch (error) {
      const found = isNullRefused(error) ? await findOversized(db, tenantId, rest) : [];
      if (found.length === 0) throw error;
      for (const hash of found) oversized.add(hash);
    }
  }
}

/** Most hashes in one IN list: MariaDB rewrites lists of 1,000 and more into subqueries. */
export const maxHashesPerStatement = 900;

const maxStatementBytes = 1_048_576;
/** Engines format what they merge, at worst with a space for each comma: the limit of a patch always fits. */
const maxStoredBytes = 2 * maxAttributeBytes;
/** More attributes than the limit are longer than this, whatever their names; short JSON need not be parsed for it. */
const leastExcessBytes = 5 * maxAttributes;
const outgrown = `LENGTH(attributes) > ${maxStoredBytes} OR
  (LENGTH(attributes) > ${leastExcessBytes} AND JSON_LENGTH(attributes) > ${maxAttributes})`;

async function upsertProfiles(tx: Sql, tenantId: TenantId, patches: readonly ProfilePatch[]): Promise<void> {
  const rows = patches.map((patch) => toRow(tenantId, patch)).sort(byHash);
  for (const some of cutStatements(rows)) {
    await writeRows(tx, some, `IF(${outgrown}, NULL, VALUES(updated_at))`);
    await dropCleared(tx, tenantId, some);
  }
}

interface Row {
  readonly hash: string;
  /** As it stands in the statement. */
  readonly values: string;
  readonly isClearing: boolean;
}

function toRow(tenantId: TenantId, patch: ProfilePatch): Row {
  const { email, hexHash: hash, phone, timeZone, consent, attributes } = patch;
  const json = attributes && JSON.stringify(attributes);
  const isClearing =
    phone === null || timeZone === null || consent === null || (json?.includes('null') ?? false);
  const fields = `${toLiteral(phone)},${toLiteral(timeZone)},${toLiteral(consent && JSON.stringify(consent))}`;
  const values = `(${Number(tenantId)},${textLiteral(email)},${hexLiteral(hash)},${fields},${toLiteral(json)},NOW(3),NOW(3))`;
  return { hash, values, isClearing };
}

/** A cleared field as '', one that is left as NULL. */
function toLiteral(text: string | null | undefined): string {
  return text === null ? "''" : text === undefined ? 'NULL' : textLiteral(text);
}

/** One order for all writers, so that batches with common profiles wait for each other rather than deadlock. Stable. */
function byHash(a: Row, b: Row): number {
  return a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0;
}

function* cutStatements(rows: readonly Row[]): Generator<readonly Row[]> {
  let start = 0;
  let length = 0;
  for (const [index, { values }] of rows.entries()) {
    const isFull = index - start === maxHashesPerStatement || length + values.length > maxStatementBytes;
    if (isFull && index > start) {
      yield rows.slice(start, index);
      start = index;
      length = 0;
    }
    length += values.length;
  }
  if (start < rows.length) yield rows.slice(start);
}

/**
 * In: one value list per row. Locks each row by its key in by_email, in the order of the hashes. Assignments apply from left
 * to right: `updatedAt` sees the merged attributes.
 */
function writeRows(tx: Sql, rows: readonly Row[], updatedAt: string) {
  return tx.write(
    `INSERT INTO profiles
       (tenant_id, email, email_hash, phone, time_zone, consent, attributes, created_at, updated_at)
     VALUES ${rows.map((row) => row.values).join(',')}
     ON DUPLICATE KEY UPDATE
       email = VALUES(email), phone = COALESCE(VALUES(phone), phone),
       time_zone = COALESCE(VALUES(time_zone), time_zone), consent = COALESCE(VALUES(consent), consent),
       attributes = IF(VALUES(attributes) IS NULL, attributes,
         JSON_MERGE_PATCH(COALESCE(attributes, '{}'), VALUES(attributes))),
       updated_at = ${updatedAt}`,
  );
}

async function dropCleared(tx: Sql, tenantId: TenantId, rows: readonly Row[]): Promise<void> {
  const cleared = rows.filter((row) => row.isClearing);
  if (cleared.length === 0) return;
  await tx.write(
    `UPDATE profiles FORCE INDEX (by_email) SET phone = NULLIF(phone, ''), time_zone = NULLIF(time_zone, ''),
       consent = NULLIF(consent, ''), attributes = JSON_MERGE_PATCH('{}', attributes)
     WHERE tenant_id = ? AND email_hash IN (${inList(cleared)})`,
    [tenantId],
  );
}

function inList(rows: readonly Row[]): string {
  return rows.map((row) => hexLiteral(row.hash)).join(',');
}

/** ER_BAD_NULL_ERROR: what a profile that would outgrow its limits makes of its statement. */
function isNullRefused(error: unknown): boolean {
  return (error as { errno?: number }).errno === 1048;
}

/** Merges them all, looks, and rolls back. */
async function findOversized(
  db: Database,
  tenantId: TenantId,
  patches: readonly ProfilePatch[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const rows = patches.map((patch) => toRow(tenantId, patch)).sort(byHash);
  const merge = db.transaction(async (tx) => {
    found.length = 0;
    for (const some of cutStatements(rows)) {
      await writeRows(tx, some, 'VALUES(updated_at)');
      await dropCleared(tx, tenantId, some);
      const oversized = await tx.rows<{ hash: Buffer }>(
        `SELECT email_hash AS hash FROM profiles
         WHERE tenant_id = ? AND email_hash IN (${inList(some)}) AND (${outgrown})`,
        [tenantId],
      );
      found.push(...oversized.map((row) => row.hash.toString('hex')));
    }
    throw new RollBack();
  });
  await merge.catch((error) => {
    if (!(error instanceof RollBack)) throw error;
  });
  return found;
}

class RollBack extends Error {}
