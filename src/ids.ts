/**
 * Identifiers.
 *
 * Inside, every id is a number that JavaScript holds exactly (< 2^53) and MySQL stores as BIGINT: eight bytes in
 * every key instead of twenty-six. Outside, the API shows `<prefix>_<base32>`, so that a campaign's id can't be
 * mistaken for a profile's, and ids sort by the time they were made.
 */
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Id<B extends string> = number & { readonly [brand]: B };

export type TenantId = Id<'tenant'>;
export type ApiKeyId = Id<'apiKey'>;
export type ProfileId = Id<'profile'>;
export type ListId = Id<'list'>;
export type ImportId = Id<'import'>;
export type TemplateId = Id<'template'>;
export type TransportId = Id<'transport'>;
export type CampaignId = Id<'campaign'>;
export type ReplyRuleId = Id<'replyRule'>;
export type SendingDomainId = Id<'sendingDomain'>;

/** The API's prefixes, one per kind of thing. */
export const prefixes = {
  tenant: 'ten',
  apiKey: 'key',
  profile: 'prf',
  list: 'lst',
  import: 'imp',
  template: 'tpl',
  transport: 'trn',
  destination: 'dst',
  campaign: 'cmp',
  replyRule: 'rul',
  sendingDomain: 'dom',
} as const;

export type IdKind = keyof typeof prefixes;
type IdOf<K extends IdKind> = number & { readonly [brand]: K };

/** Crockford's alphabet: no I, L, O, U; sorts as the numbers do. Lower case for URLs and mail headers. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const idLength = 11;
const epochSeconds = Date.UTC(2024, 0, 1) / 1000;

/**
 * A new id: 32 bits of seconds since 2024, then 21 random bits. Two made in the same second collide once in
 * two million; the primary key catches it and the caller makes another (`insertWithNewId`).
 */
export function newId<K extends IdKind>(_kind: K, nowMs: number = Date.now()): IdOf<K> {
  const seconds = Math.floor(nowMs / 1000) - epochSeconds;
  return (seconds * 2 ** 21 + (randomBytes(4).readUInt32BE() & 0x1fffff)) as IdOf<K>;
}

export function formatId(kind: IdKind, id: number): string {
  return `${prefixes[kind]}_${encodeNumber(id, idLength)}`;
}

/** The number behind an API id, or undefined when the text isn't an id of that kind. */
export function parseId<K extends IdKind>(kind: K, text: string): IdOf<K> | undefined {
  const prefix = `${prefixes[kind]}_`;
  if (text.length !== prefix.length + idLength || !text.startsWith(prefix)) return undefined;
  return decodeNumber(text.slice(prefix.length)) as IdOf<K> | undefined;
}

export function encodeNumber(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = alphabet[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

export function decodeNumber(text: string): number | undefined {
  let value = 0;
  for (const char of text) {
    const digit = alphabet.indexOf(char);
    if (digit < 0) return undefined;
    value = value * 32 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}
