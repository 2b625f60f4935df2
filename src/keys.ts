/**
 * The keys that SECRET_KEY stands for, one per purpose (HKDF, RFC 5869): none can be computed from another.
 * The same in every process; a purpose is never renamed.
 */
import { hkdfSync } from 'node:crypto';
import type { SigningKey } from './render/tokens.ts';

export interface Keys {
  /** HMAC of addresses: suppressions and deliveries. */
  readonly address: Buffer;
  /** Message-IDs, return paths and unsubscribe links. */
  readonly signing: SigningKey;
  /** Encrypts transports' secrets. */
  readonly secrets: Buffer;
}

export function deriveKeys(secretKey: Buffer): Keys {
  return {
    address: derive(secretKey, 'address'),
    signing: { id: 1, secret: derive(secretKey, 'signing') },
    secrets: derive(secretKey, 'secrets'),
  };
}

function derive(secretKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `sluice ${purpose} 1`, 32));
}
