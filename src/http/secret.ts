/**
 * API keys' secrets: `sk_` and 32 random bytes. Only their SHA-256 is stored: with 256 bits of chance in it, a slow hash
 * would cost every request and protect nothing more.
 */
import { createHash, randomBytes } from 'node:crypto';

export function createKeySecret(): string {
  return `sk_${randomBytes(32).toString('base64url')}`;
}

export function isKeySecret(text: string): boolean {
  return /^sk_[A-Za-z0-9_-]{43}$/.test(text);
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** The end of a secret, by which people tell their keys apart. */
export function hintOf(secret: string): string {
  return secret.slice(-4);
}
