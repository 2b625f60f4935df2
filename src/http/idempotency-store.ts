/**
 * Rows of idempotency_keys. Times are the database's. A row is running (no status, a lock) or done (a status and a
 * reply); bodies are sealed, because a reply may show a secret once, such as a new API key.
 */
import type { TenantId } from '../ids.ts';
import { isDuplicateKey, type Sql } from '../platform/mysql.ts';
import type { TextReply } from './reply.ts';
import type { SealReply } from './sealed-reply.ts';

export interface Claim {
  readonly tenantId: TenantId;
  readonly keyHash: Buffer;
  readonly fingerprint: Buffer;
  readonly owner: string;
}

export type Found =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'running'; readonly fingerprint: Buffer }
  | { readonly kind: 'done'; readonly fingerprint: Buffer; readonly reply: TextReply };

export interface IdempotencyStore {
  /** Takes the key, also from a holder whose lock has run out, or says what is there. */
  claim(claim: Claim, lockSeconds: number): Promise<Found>;
  /** The others do nothing when the key has been taken over. */
  renew(claim: Claim, lockSeconds: number): Promise<void>;
  complete(claim: Claim, reply: TextReply): Promise<void>;
  release(claim: Claim): Promise<void>;
}

const keptHours = 24;
/** A longer reply is replayed without its body: status and headers still say what was made. */
const maxBodyLength = 4_000_000;
const sweepRows = 1_000;

interface Row {
  request_hash: Buffer;
  owner: string;
  status: number | null;
  headers: string | null;
  body: string | null;
  lock_is_over: number;
  is_expired: number;
}

export function createIdempotencyStore(sql: Sql, seal: SealReply): IdempotencyStore {
  return {
    async claim(claim, lockSeconds) {
      for (;;) {
        if (await insertClaim(sql, claim, lockSeconds)) return { kind: 'claimed' };
        const row = await readRow(sql, claim);
        if (!row) continue;
        if (row.is_expired) await deleteExpired(sql, claim);
        else if (row.status !== null) return toDone(row, claim, seal);
        else if (!row.lock_is_over || !row.request_hash.equals(claim.fingerprint)) return toRunning(row);
        else if (await takeOver(sql, claim, row.owner, lockSeconds)) return { kind: 'claimed' };
      }
    },
    async renew({ tenantId, keyHash, owner }, lockSeconds) {
      await sql.write(
        `UPDATE idempotency_keys SET locked_until = NOW(3) + INTERVAL ? SECOND
         WHERE tenant_id = ? AND key_hash = ? AND owner = ? AND status IS NULL`,
        [lockSeconds, tenantId, keyHash, owner],
      );
    },
    async complete({ tenantId, keyHash, owner }, { status, headers, body }) {
      const sealed = seal.close(body.length > maxBodyLength ? '' : body, keyHash);
      await sql.write(
        `UPDATE idempotency_keys SET status = ?, headers = ?, body = ?, locked_until = NULL
         WHERE tenant_id = ? AND key_hash = ? AND owner = ? AND status IS NULL`,
        [status, JSON.stringify(headers), sealed, tenantId, keyHash, owner],
      );
    },
    async release({ tenantId, keyHash, owner }) {
      await sql.write(
        'DELETE FROM idempotency_keys WHERE tenant_id = ? AND key_hash = ? AND owner = ? AND status IS NULL',
        [tenantId, keyHash, owner],
      );
    },
  };
}

/** Removes up to a thousand keys older than a day; says how many. Rides on the index by_age. */
export async function sweepIdempotencyKeys(sql: Sql): Promise<number> {
  const { affectedRows } = await sql.write(
    'DELETE FROM idempotency_keys WHERE created_at < NOW(3) - INTERVAL ? HOUR ORDER BY created_at LIMIT ?',
    [keptHours, sweepRows],
  );
  return affectedRows;
}

async function insertClaim(sql: Sql, claim: Claim, lockSeconds: number): Promise<boolean> {
  try {
    await sql.write(
      `INSERT INTO idempotency_keys (tenant_id, key_hash, request_hash, owner, locked_until, created_at)
       VALUES (?, ?, ?, ?, NOW(3) + INTERVAL ? SECOND, NOW(3))`,
      [claim.tenantId, claim.keyHash, claim.fingerprint, claim.owner, lockSeconds],
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function readRow(sql: Sql, { tenantId, keyHash }: Claim): Promise<Row | undefined> {
  return sql.first<Row>(
    `SELECT request_hash, owner, status, headers, body,
       COALESCE(locked_until < NOW(3), 1) AS lock_is_over,
       created_at < NOW(3) - INTERVAL ? HOUR AND COALESCE(locked_until < NOW(3), 1) AS is_expired
     FROM idempotency_keys WHERE tenant_id = ? AND key_hash = ?`,
    [keptHours, tenantId, keyHash],
  );
}

async function deleteExpired(sql: Sql, { tenantId, keyHash }: Claim): Promise<void> {
  await sql.write(
    `DELETE FROM idempotency_keys WHERE tenant_id = ? AND key_hash = ?
     AND created_at < NOW(3) - INTERVAL ? HOUR`,
    [tenantId, keyHash, keptHours],
  );
}

/** Compares and sets the owner: of two that see the same dead lock, one gets it. */
async function takeOver(sql: Sql, claim: Claim, deadOwner: string, lockSeconds: number): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE idempotency_keys SET owner = ?, locked_until = NOW(3) + INTERVAL ? SECOND
     WHERE tenant_id = ? AND key_hash = ? AND owner = ? AND status IS NULL AND locked_until < NOW(3)`,
    [claim.owner, lockSeconds, claim.tenantId, claim.keyHash, deadOwner],
  );
  return affectedRows === 1;
}

function toRunning(row: Row): Found {
  return { kind: 'running', fingerprint: row.request_hash };
}

function toDone(row: Row, { keyHash }: Claim, seal: SealReply): Found {
  const headers = JSON.parse(row.headers ?? '{}') as Record<string, string>;
  const reply = { status: row.status ?? 200, headers, body: seal.open(row.body ?? '', keyHash) };
  return { kind: 'done', fingerprint: row.request_hash, reply };
}
