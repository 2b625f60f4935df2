/** Key pairs for DKIM: made, taken in as PEM, and shown as the DNS record that belongs to them. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { DkimAlgorithm } from './sign-message.ts';

export interface DkimKeyPair {
  readonly algorithm: DkimAlgorithm;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** Base64, as `p=` of the DNS record wants it. */
  readonly publicKey: string;
}

export type ImportedKey =
  | { readonly kind: 'key'; readonly pair: DkimKeyPair }
  | { readonly kind: 'invalid'; readonly detail: string };

/** Longer ones don't fit into what many resolvers take, and RFC 8301 asks nobody to verify them. */
const longestRsaBits = 4096;
/** RFC 8301: verifiers must not take shorter ones. */
const shortestRsaBits = 1024;
const madeRsaBits = 2048;

const generate = promisify(generateKeyPair);

/** On libuv's threads: an RSA key takes a tenth of a second. */
export async function makeDkimKey(algorithm: DkimAlgorithm): Promise<DkimKeyPair> {
  const { privateKey } =
    algorithm === 'rsa-sha256'
      ? await generate('rsa', { modulusLength: madeRsaBits })
      : await generate('ed25519');
  return toPair(algorithm, privateKey);
}

/** What is wrong is said without a word of the key. */
export function importDkimKey(pem: string): ImportedKey {
  const key = openDkimKey(pem);
  if (!key) return { kind: 'invalid', detail: 'is not a private key in PEM without a passphrase' };
  const detail = findKeyProblem(key);
  if (detail) return { kind: 'invalid', detail };
  return {
    kind: 'key',
    pair: toPair(key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256', key),
  };
}

/** Undefined when it is none. */
export function openDkimKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

export interface DkimRecord {
  readonly name: string;
  readonly type: 'TXT';
  readonly value: string;
}

/** RFC 6376, 3.6.1; RFC 8463, 4. */
export function dkimRecord(key: {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  readonly publicKey: string;
}): DkimRecord {
  const { domain, selector, algorithm, publicKey } = key;
  const type = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  return {
    name: `${selector}._domainkey.${domain}`,
    type: 'TXT',
    value: `v=DKIM1; k=${type}; p=${publicKey}`,
  };
}

function findKeyProblem(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== 'rsa' && type !== 'ed25519') return 'must be an RSA or an Ed25519 key';
  const bits = details?.modulusLength ?? 0;
  if (type === 'rsa' && (bits < shortestRsaBits || bits > longestRsaBits))
    return `an RSA key must have ${shortestRsaBits} to ${longestRsaBits} bits`;
  return isSound(key, type) ? undefined : 'does not sign: its parts do not belong together';
}

/** A damaged key is found here, and not when a campaign waits for it. */
function isSound(key: KeyObject, type: 'rsa' | 'ed25519'): boolean {
  const digest = type === 'rsa' ? 'sha256' : null;
  const text = Buffer.from('a trial');
  try {
    return verify(digest, text, createPublicKey(key), sign(digest, text, key));
  } catch {
    return false;
  }
}

function toPair(algorithm: DkimAlgorithm, key: KeyObject): DkimKeyPair {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  // RFC 8463: the bare 32 octets, which are the last ones of the DER form.
  const shown = algorithm === 'rsa-sha256' ? der : der.subarray(-32);
  return {
    algorithm,
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: shown.toString('base64'),
  };
}
