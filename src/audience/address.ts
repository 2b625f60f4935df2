/**
 * Addresses as Sluice takes them: RFC 5321 addr-spec with a dot-atom local part and a domain name, nothing else.
 *
 * No display names, no comments, no quoted local parts, no IP literals: each is legal, none belongs to a marketing
 * audience, and every one has been used to smuggle a second recipient or a header line past a parser.
 */
import { domainToASCII } from 'node:url';
import type { TenantId } from '../ids.ts';
import { hashKeyed } from './keyed-hash.ts';

export type AddressProblem =
  | 'empty'
  | 'too_long'
  | 'forbidden_character'
  | 'no_domain'
  | 'quoted_local_part'
  | 'bad_local_part'
  | 'ip_literal'
  | 'bad_domain';

export type ParsedAddress =
  | {
      readonly kind: 'address';
      /** Trimmed; local part as written (RFC 5321 2.4: its case is the receiver's business); domain as lower-case A-labels. */
      readonly email: string;
      readonly domain: string;
      /** The local part isn't ASCII: needs SMTPUTF8 (RFC 6531) all the way. */
      readonly isSmtpUtf8: boolean;
    }
  | { readonly kind: 'invalid'; readonly reason: AddressProblem };

/** Text to an address that can be sent to, or why not. Never throws; about a microsecond for a plain address. */
export function parseAddress(text: string): ParsedAddress {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  const problem = findProblem(trimmed, at);
  if (problem) return { kind: 'invalid', reason: problem };
  const local = trimmed.slice(0, at);
  const isSmtpUtf8 = !isAscii(local);
  if (!isLocalPart(local, isSmtpUtf8)) return { kind: 'invalid', reason: 'bad_local_part' };
  const domain = parseDomain(trimmed.slice(at + 1));
  if (domain === undefined) return { kind: 'invalid', reason: 'bad_domain' };
  const email = `${isSmtpUtf8 ? local.normalize('NFC') : local}@${domain}`;
  if (byteLength(email) > maxAddressOctets) return { kind: 'invalid', reason: 'too_long' };
  return { kind: 'address', email, domain, isSmtpUtf8 };
}

/** A host name as lower-case A-labels (UTS 46 for international ones), or undefined when it isn't a public-looking one. */
export function parseDomain(text: string): string | undefined {
  const isPlain = isAscii(text);
  if (text.length > maxDomainOctets || !allowedDomainText.test(text)) return undefined;
  const lower = text.toLowerCase();
  const ascii = isPlain && !lower.includes('xn--') ? lower : domainToASCII(lower);
  return ascii.length <= maxDomainOctets && domainName.test(ascii) ? ascii : undefined;
}

/**
 * The name under which an address is suppressed and compared once the address itself may be gone (DESIGN 4, erasure).
 * Lower-cased as a whole: two spellings that differ by case are one person to everybody but the RFC.
 */
export function addressHash(key: Buffer, tenantId: TenantId, email: string): Buffer {
  return Buffer.from(hexAddressHash(key, tenantId, email), 'hex');
}

/** The same in hex, and at less than half the price: a Buffer is dear to make and to collect. */
export function hexAddressHash(key: Buffer, tenantId: TenantId, email: string): string {
  return hashKeyed(key, `${tenantId}\0${email.toLowerCase()}`).slice(0, 32);
}

const maxAddressOctets = 254;
const maxLocalOctets = 64;
const maxDomainOctets = 253;

const asciiLocalPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const unicodeLocalPart =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\p{ASCII}\p{C}\p{Z}])+(?:\.(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\p{ASCII}\p{C}\p{Z}])+)*$/u;
/** Before UTS 46 mapping, which would otherwise decode percent signs and forgive much else. */
const allowedDomainText = /^(?:[A-Za-z0-9.-]|[^\p{ASCII}\p{C}\p{Z}])+$/u;
/** At least two labels; the last alphabetic, so that no spelling of an IP address passes. */
const domainName =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9](?:[a-z0-9-]{0,57}[a-z0-9])?)$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it looks for
const forbidden = /[\x00-\x20\x7f-\xa0\u2028\u2029<>(),;:\\]/;

function findProblem(trimmed: string, at: number): AddressProblem | undefined {
  if (trimmed === '') return 'empty';
  if (trimmed.length > maxAddressOctets) return 'too_long';
  if (at < 0 || at === trimmed.length - 1) return 'no_domain';
  if (trimmed[0] === '"') return 'quoted_local_part';
  if (trimmed[at + 1] === '[') return 'ip_literal';
  return forbidden.test(trimmed) ? 'forbidden_character' : undefined;
}

function isLocalPart(local: string, isSmtpUtf8: boolean): boolean {
  if (!isSmtpUtf8) return local.length <= maxLocalOctets && asciiLocalPart.test(local);
  return byteLength(local.normalize('NFC')) <= maxLocalOctets && unicodeLocalPart.test(local);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
