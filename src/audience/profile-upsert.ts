/**
 * Many profiles in one statement, new or not, in one transaction with whatever must come and go with them.
 *
 * The merge happens inside the upsert (JSON_MERGE_PATCH), not by reading first: two writers of one profile then lose
 * nothing to each other, and an import pays no read. What a patch clears can't be told from what it leaves in a VALUES
 * list, so a cleared field is written as '' and a cleared attribute as null, and one more statement turns both into
 * absence before the commit. Rows of one statement apply in order: an address that comes twice is merged twice.
 */
import type { TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';
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
    const rest = oversized.size === 0 ? patches : patches.filter((patch) => !oversized.has(hexHash(patch)));
    try {
      await db.transaction(async (tx) => {
        await upsertProfiles(tx, tenantId, rest);
        await alongside(tx, rest);
      });
      return { oversized };
    } catch (error) {
      if (!(error instanceof OversizedProfiles)) throw error;
      for (const hash of error.hashes) oversized.add(hash);
    }
  }
}

/** Most hashes in one IN list: MariaDB rewrites lists of 1,000 and more into subqueries. */
export const maxHashesPerStatement = 900;

export function hexHash({ addressHash }: Pick<ProfilePatch, 'addressHash'>): string {
  return addressHash.toString('hex');
}

/** Rolls the transaction back, so that it can run again without these. */
class OversizedProfiles extends Error {
  readonly hashes: readonly string[];
  constructor(hashes: readonly string[]) {
    super('profiles would outgrow their limits');
    this.hashes = hashes;
  }
}

const maxStatementBytes = 1_048_576;
const columnBytes = 400;
/** Engines format what they merge, at worst with a space for each comma: the limit of a patch always fits. */
const maxStoredBytes = 2 * maxAttributeBytes;

async function upsertProfiles(tx: Sql, tenantId: TenantId, patches: readonly ProfilePatch[]): Promise<void> {
  for (const rows of cutStatements(patches.map(toRow).sort(byHash))) {
    const { affectedRows } = await writeRows(tx, tenantId, rows);
    const cleared = rows.filter((row) => row.isClearing).map((row) => row.hash);
    if (cleared.length > 0) await dropCleared(tx, tenantId, cleared);
    // An insert counts one row and an update two: without updates nothing can have grown.
    if (affectedRows > rows.length) await assertWithinLimits(tx, tenantId, rows);
  }
}

interface Row {
  readonly hash: Buffer;
  readonly values: readonly unknown[];
  readonly isClearing: boolean;
  readonly bytes: number;
}

function toRow({ email, addressHash: hash, phone, timeZone, consent, attributes }: ProfilePatch): Row {
  const json = attributes && JSON.stringify(attributes);
  const isClearing =
    phone === null || timeZone === null || consent === null || (json?.includes('null') ?? false);
  const values = [
    email,
    hash,
    orCleared(phone),
    orCleared(timeZone),
    orCleared(consent && JSON.stringify(consent)),
    json ?? null,
  ];
  return { hash, values, isClearing, bytes: columnBytes + (json?.length ?? 0) };
}

function orCleared(text: string | null | undefined): string | null {
  return text === null ? '' : (text ?? null);
}

/** One order for all writers, so that batches with common profiles wait for each other rather than deadlock. Stable. */
function byHash(a: Row, b: Row): number {
  return a.hash.compare(b.hash);
}

function* cutStatements(rows: readonly Row[]): Generator<readonly Row[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, row] of rows.entries()) {
    const isFull = index - start === maxHashesPerStatement || bytes + row.bytes > maxStatementBytes;
    if (isFull && index > start) {
      yield rows.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += row.bytes;
  }
  if (start < rows.length) yield rows.slice(start);
}

/** In: one value list per row. Locks each row by its key in by_email, in the order of the hashes. */
function writeRows(tx: Sql, tenantId: TenantId, rows: readonly Row[]) {
  const places = rows.map(() => '(?, ?, NOW(3), NOW(3))').join(', ');
  return tx.write(
    `INSERT INTO profiles
       (tenant_id, email, email_hash, phone, time_zone, consent, attributes, created_at, updated_at)
     VALUES ${places}
     ON DUPLICATE KEY UPDATE
       email = VALUES(email), phone = COALESCE(VALUES(phone), phone),
       time_zone = COALESCE(VALUES(time_zone), time_zone), consent = COALESCE(VALUES(consent), consent),
       attributes = IF(VALUES(attributes) IS NULL, attributes,
         JSON_MERGE_PATCH(COALESCE(attributes, '{}'), VALUES(attributes))),
       updated_at = VALUES(updated_at)`,
    rows.flatMap((row) => [tenantId, row.values]),
  );
}

async function dropCleared(tx: Sql, tenantId: TenantId, hashes: readonly Buffer[]): Promise<void> {
  await tx.write(
    `UPDATE profiles SET phone = NULLIF(phone, ''), time_zone = NULLIF(time_zone, ''),
       consent = NULLIF(consent, ''), attributes = JSON_MERGE_PATCH('{}', attributes)
     WHERE tenant_id = ? AND email_hash IN (?)`,
    [tenantId, hashes],
  );
}

async function assertWithinLimits(tx: Sql, tenantId: TenantId, rows: readonly Row[]): Promise<void> {
  const oversized = await tx.rows<{ hash: Buffer }>(
    `SELECT email_hash AS hash FROM profiles WHERE tenant_id = ? AND email_hash IN (?)
       AND (LENGTH(attributes) > ? OR JSON_LENGTH(attributes) > ?)`,
    [tenantId, rows.map((row) => row.hash), maxStoredBytes, maxAttributes],
  );
  if (oversized.length > 0) throw new OversizedProfiles(oversized.map((row) => row.hash.toString('hex')));
}
