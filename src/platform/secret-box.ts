/**
 * Secrets at rest: AES-256-GCM under a key that SECRET_KEY stands for, and the proof that it is still the same key.
 *
 * A sealed secret is 1 byte format, 1 byte key id, 12 bytes random nonce, 16 bytes tag, then the ciphertext. It is bound to
 * its owner (`boundTo`): copied into another row it does not open. The key id is not a secret and no proof; it only
 * tells "sealed under another key" from "damaged".
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import { isDuplicateKey, type Sql } from './mysql.ts';

export interface SecretBox {
  seal(text: string, boundTo: string): Buffer;
  /** Throws `unavailable` when it was sealed under another SECRET_KEY, for another owner, or is damaged. */
  open(sealed: Buffer, boundTo: string): string;
}

/** `key`: 32 bytes, used for nothing else (`deriveKeys(...).secrets`). */
export function createSecretBox(key: Buffer): SecretBox {
  const keyId = keyIdOf(key);
  return {
    seal(text, boundTo) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(boundTo));
      const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([format, keyId]), nonce, cipher.getAuthTag(), encrypted]);
    },
    open(sealed, boundTo) {
      if (sealed.length < headBytes || sealed[0] !== format) throw unreadable('it is damaged');
      if (sealed[1] !== keyId) throw unreadable('it was stored under another SECRET_KEY');
      return decrypt(key, sealed, boundTo);
    },
  };
}

/**
 * Compares the key with the one this database was first used with, and stores its check value at the first start of all. With
 * another key no suppression would match its address and no secret would open, so the process must not run. Two first starts
 * at once agree: the row that was there first counts.
 */
export async function assertInstallationKey(sql: Sql, key: Buffer): Promise<void> {
  const mine = createHmac('sha256', key).update('sluice installation 1').digest();
  const stored = (await readCheck(sql)) ?? (await storeCheck(sql, mine));
  if (stored.equals(mine)) return;
  throw new AppError('unavailable', {
    detail:
      'SECRET_KEY is not the one this database was set up with: transport secrets, suppressions and links would all be void. ' +
      'Start with the original key, or with an empty database',
  });
}

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 2 + nonceBytes + tagBytes;
const checkName = 'secret_key_check';

function keyIdOf(key: Buffer): number {
  return createHash('sha256').update('sluice key id\0').update(key).digest()[0] as number;
}

function decrypt(key: Buffer, sealed: Buffer, boundTo: string): string {
  const nonce = sealed.subarray(2, 2 + nonceBytes);
  const tag = sealed.subarray(2 + nonceBytes, headBytes);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(boundTo)).setAuthTag(tag);
    return decipher.update(sealed.subarray(headBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch (cause) {
    throw unreadable('it is damaged, or was stored under another SECRET_KEY', cause);
  }
}

function unreadable(why: string, cause?: unknown): AppError {
  return new AppError('unavailable', { detail: `A stored secret can't be read: ${why}`, cause });
}

async function readCheck(sql: Sql): Promise<Buffer | undefined> {
  const row = await sql.first<{ value: Buffer }>('SELECT value FROM installation WHERE name = ?', [
    checkName,
  ]);
  return row?.value;
}

async function storeCheck(sql: Sql, mine: Buffer): Promise<Buffer> {
  try {
    await sql.write('INSERT INTO installation (name, value) VALUES (?, ?)', [checkName, mine]);
    return mine;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return (await readCheck(sql)) ?? mine;
  }
}
