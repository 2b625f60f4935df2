/**
 * Signed tokens that travel in a message and come back with a bounce, a complaint or a click. Pure over the keys.
 *
 * Each kind is signed under its own label, so that a token of one kind is never valid as another, and is verified
 * against every key still accepted, so that keys can be rotated while mail is on its way.
 */
import { timingSafeEqual } from 'node:crypto';
import { digestKeyed } from '../audience/keyed-hash.ts';
import type { ListId, ProfileId, TenantId } from '../ids.ts';

export interface SigningKey {
  /** 0 to 255; stands in unsubscribe tokens, which never expire and so outlive a rotation by years. */
  readonly id: number;
  /** At least 32 random bytes. */
  readonly secret: Buffer;
}

/**
 * `{delivery id}.{mac}`: the left side of the Message-ID and, behind `b+`, of the VERP return path. 54 characters; with
 * `b+` 56 of the 64 octets a local part may have (RFC 5321 4.5.3.1.1). The MAC has 80 bits, in base32 because mail
 * systems on the way change the case of local parts.
 */
export function signDeliveryId(key: SigningKey, deliveryId: string): string {
  return `${deliveryId}.${deliveryMac(key, deliveryId)}`;
}

/** The delivery id inside, when one of the keys signed it. Constant time in the MAC. */
export function verifyDeliveryToken(keys: readonly SigningKey[], token: string): string | undefined {
  const lower = token.toLowerCase();
  const dot = lower.indexOf('.');
  if (dot < 1 || lower.length !== dot + 1 + deliveryMacLength) return undefined;
  const deliveryId = lower.slice(0, dot);
  const mac = Buffer.from(lower.slice(dot + 1), 'latin1');
  const isSigned = keys.some((key) => isEqual(mac, Buffer.from(deliveryMac(key, deliveryId), 'latin1')));
  return isSigned ? deliveryId : undefined;
}

/** Without angle brackets. Stable over retries, unique per recipient (DESIGN 4a). */
export function formatMessageId(token: string, sendingDomain: string): string {
  return `${token}@${sendingDomain}`;
}

/** The envelope sender of one delivery (VERP). */
export function formatReturnPath(token: string, bounceDomain: string): string {
  return `b+${token}@${bounceDomain}`;
}

/** The token in a Message-ID (with or without `<>`) or in a return path, not yet verified. */
export function findDeliveryToken(text: string): string | undefined {
  return /^\s*<?(?:b\+)?(dlv_[0-9a-z]{1,64}\.[0-9a-z]{16})@[^@\s<>]+>?\s*$/i.exec(text)?.[1]?.toLowerCase();
}

/** Who stops getting what: one list, or `*` for everything of the tenant. */
export interface UnsubscribeTarget {
  readonly tenantId: TenantId;
  readonly profileId: ProfileId;
  readonly list: ListId | '*';
}

/**
 * 52 base64url characters: version, key id, tenant, profile, list (0 = `*`), 128 bits of HMAC-SHA256. It never expires
 * and names no delivery: the link in a mail of three years ago still works (CAN-SPAM asks for 30 days, readers for ever).
 */
export function signUnsubscribe(key: SigningKey, target: UnsubscribeTarget): string {
  const token = Buffer.allocUnsafe(unsubscribeLength);
  token[0] = unsubscribeVersion;
  token[1] = key.id;
  writeId(token, target.tenantId, 2);
  writeId(token, target.profileId, 9);
  writeId(token, target.list === '*' ? 0 : target.list, 16);
  token.write(unsubscribeMac(key, token), unsubscribeBodyLength, 'latin1');
  return token.toString('base64url');
}

/** What a token stands for, when a known key signed it; undefined for anything else. Constant time in the MAC. */
export function verifyUnsubscribe(keys: readonly SigningKey[], text: string): UnsubscribeTarget | undefined {
  if (!/^[A-Za-z0-9_-]{52}$/.test(text)) return undefined;
  const token = Buffer.from(text, 'base64url');
  const key = keys.find(({ id }) => id === token[1]);
  if (token[0] !== unsubscribeVersion || !key) return undefined;
  const mac = Buffer.from(unsubscribeMac(key, token), 'latin1');
  if (!isEqual(token.subarray(unsubscribeBodyLength), mac)) return undefined;
  const list = readId(token, 16);
  return {
    tenantId: readId(token, 2) as TenantId,
    profileId: readId(token, 9) as ProfileId,
    list: list === 0 ? '*' : (list as ListId),
  };
}

export function formatUnsubscribeUrl(publicUrl: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/u/${token}`;
}

const deliveryMacLength = 16;
const unsubscribeVersion = 1;
const unsubscribeBodyLength = 23;
const unsubscribeLength = 39;
/** Crockford's, as in ids: lower case, nothing that reads like another. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function deliveryMac(key: SigningKey, deliveryId: string): string {
  const mac = digestKeyed(key.secret, `sluice delivery 1\0${deliveryId}`);
  return encodeFiveBytes(mac, 0) + encodeFiveBytes(mac, 5);
}

/** Of the token's body. A byte for each character. */
function unsubscribeMac(key: SigningKey, token: Buffer): string {
  const body = token.toString('latin1', 0, unsubscribeBodyLength);
  const mac = digestKeyed(key.secret, `sluice unsubscribe\0${body}`, 'latin1');
  return mac.slice(0, unsubscribeLength - unsubscribeBodyLength);
}

/** 40 bits, a byte for each character, as eight characters. */
function encodeFiveBytes(bytes: string, offset: number): string {
  let high = 0;
  for (let i = offset; i < offset + 5; i++) high = high * 256 + bytes.charCodeAt(i);
  let text = '';
  for (let i = 0; i < 8; i++) {
    text = alphabet[high % 32] + text;
    high = Math.floor(high / 32);
  }
  return text;
}

/** Ids are below 2^53, and so fit seven bytes; Node writes at most six at once. */
function writeId(target: Buffer, id: number, offset: number): void {
  target[offset] = Math.floor(id / 2 ** 48);
  target.writeUIntBE(id % 2 ** 48, offset + 1, 6);
}

function readId(source: Buffer, offset: number): number {
  return (source[offset] ?? 0) * 2 ** 48 + source.readUIntBE(offset + 1, 6);
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
