/** One profile as it comes in, over the API or as a line of NDJSON, and what it becomes on its way to the store. */
import { z } from 'zod';
import { AppError, type FieldError } from '../errors.ts';
import { timestampParam } from '../http/schemas.ts';
import { validatePart } from '../http/validation.ts';
import type { TenantId } from '../ids.ts';
import { type AddressProblem, hexAddressHash, parseAddress } from './address.ts';
import { type Attributes, findAttributeProblem, findShapeProblem, maxAttributeBytes } from './attributes.ts';
import type { Consent, ProfilePatch } from './profile.ts';
import { isTimeZone } from './time-zone.ts';

/** An address that comes in, decoded to the spelling that is stored. */
export const addressText = z
  .string()
  .transform((text, context) => {
    const address = parseAddress(text);
    if (address.kind === 'address') return address.email;
    context.addIssue({ code: 'custom', message: describeAddressProblem(address.reason) });
    return z.NEVER;
  })
  .meta({ description: 'An email address, without a display name', example: 'ada@example.com' });

const phoneText = z
  .string()
  .refine(isPhone, 'is not a phone number in E.164: + and 7 to 15 digits')
  .meta({ description: 'E.164', example: '+4915112345678' });

const timeZoneText = z
  .string()
  .refine(isTimeZone, 'is not an IANA time zone')
  .meta({ description: 'IANA time zone', example: 'Europe/Berlin' });

export const consentStatuses = ['subscribed', 'unsubscribed', 'unknown'] as const;

const consentInput = z.strictObject({
  status: z.enum(consentStatuses),
  source: z.string().min(1).max(200).meta({ description: 'Where consent was given', example: 'checkout' }),
  at: timestampParam,
});

const attributesInput = z
  .record(z.string(), z.unknown())
  .superRefine((attributes, context) => {
    const problem = findAttributeProblem(attributes);
    if (problem) context.addIssue({ code: 'custom', path: [...problem.path], message: problem.detail });
  })
  .transform((attributes) => attributes as Attributes)
  .meta({
    description:
      'JSON values that templates see as `profile.*`; merged into what is there, null clears (RFC 7396)',
    example: { first_name: 'Ada', loyalty: { tier: 'gold' } },
  });

/** null clears a field, an absent one is left as it is. */
export const profileFields = {
  phone: phoneText.nullish(),
  time_zone: timeZoneText.nullish(),
  consent: consentInput.nullish(),
  attributes: attributesInput.optional(),
};

export const profileInput = z.strictObject({ email: addressText, ...profileFields });
export type ProfileInput = z.output<typeof profileInput>;

export function toPatch(input: ProfileInput, tenantId: TenantId, addressKey: Buffer): ProfilePatch {
  const { email, phone, time_zone: timeZone, consent, attributes } = input;
  return {
    email,
    hexHash: hexAddressHash(addressKey, tenantId, email),
    phone,
    timeZone,
    consent: consent && toConsent(consent),
    attributes,
  };
}

export function toConsent({ status, source, at }: z.output<typeof consentInput>): Consent {
  return { status, source, at: at.toISOString() };
}

export function isPhone(text: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(text);
}

export function describeAddressProblem(reason: AddressProblem): string {
  return addressProblems[reason];
}

export type ParsedProfile =
  | { readonly kind: 'profile'; readonly input: ProfileInput }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] };

/**
 * The same as `parseProfile` for what nearly every line of a file is: right, and without consent. Undefined for all others. The
 * schema takes three times as long. `length` is that of the JSON text.
 */
export function parsePlainProfile(value: unknown, length: number): ProfileInput | undefined {
  if (!isObject(value)) return undefined;
  const { email, phone, time_zone: timeZone, attributes, ...others } = value;
  const address = typeof email === 'string' ? parseAddress(email) : undefined;
  const isPlain =
    address?.kind === 'address' &&
    isAbsentOr(phone, isPhone) &&
    isAbsentOr(timeZone, isTimeZone) &&
    (attributes === undefined || isPlainAttributes(attributes, length)) &&
    Object.keys(others).length === 0;
  if (!isPlain) return undefined;
  return { ...value, email: address.email } as ProfileInput;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsentOr(value: unknown, isValid: (text: string) => boolean): boolean {
  return value === undefined || value === null || (typeof value === 'string' && isValid(value));
}

function isPlainAttributes(value: unknown, length: number): boolean {
  return isObject(value) && length * mostBytesPerUnit <= maxAttributeBytes && !findShapeProblem(value);
}

/** What a unit of JSON text can become when it is parsed and written again: `1e20` is written in full. */
const mostBytesPerUnit = 6;

/** One item of a bulk call or one line of a file, whose errors must not end the others; `base` is its own JSON pointer. */
export function parseProfile(value: unknown, base: string): ParsedProfile {
  try {
    return { kind: 'profile', input: validatePart('body', profileInput, value) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const errors = error.errors.map(({ pointer = '', detail }) => ({ pointer: base + pointer, detail }));
    return { kind: 'invalid', errors };
  }
}

const addressProblems: Readonly<Record<AddressProblem, string>> = {
  empty: 'is empty',
  too_long: 'is longer than 254 octets',
  forbidden_character: 'holds a character that an address cannot have',
  no_domain: 'has no domain',
  quoted_local_part: 'has a quoted local part, which is not taken',
  bad_local_part: 'has a local part that is not valid',
  ip_literal: 'has an IP address for a domain, which is not taken',
  bad_domain: 'has a domain that is not valid',
};
