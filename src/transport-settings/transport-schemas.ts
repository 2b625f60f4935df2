/** Transports in the API: snake_case names over the transports' own schemas, and never a secret. */
import { z } from 'zod';
import { parseDomain } from '../audience/address.ts';
import { formatEtag } from '../http/etag.ts';
import { idOut, idParam, lineOfText, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import {
  type SmtpSettings,
  smtpSecret,
  smtpSettings,
  type TransportLimits,
  transportLimits,
} from '../transports/smtp-settings.ts';
import { snakeKeys, snakeObject } from './snake-object.ts';
import type { StoredTransport } from './transport-store.ts';

/** A stored domain is read without this check; a message with one that is no domain could not be compiled, and would be skipped for everybody. */
const settingsIn = snakeObject<SmtpSettings>(smtpSettings).refine(
  ({ bounceDomain }) => bounceDomain === undefined || parseDomain(bounceDomain) !== undefined,
  { path: ['bounce_domain'], error: 'must be a domain name, such as bounces.example.com' },
);
const limitsIn = snakeObject<TransportLimits>(transportLimits);
const destinationMode = z
  .enum(['transport', 'provider'])
  .meta({ description: '`transport`: limits hold for it as a whole; `provider`: per mailbox provider' });
const secretIn = smtpSecret.meta({ description: 'Encrypted at rest and never returned' });

export const newTransport = z
  .strictObject({
    name: lineOfText(200),
    kind: z.literal('smtp').default('smtp'),
    settings: settingsIn,
    limits: limitsIn.prefault({}),
    secret: secretIn.optional(),
    destination_mode: destinationMode.default('transport'),
  })
  .meta({ id: 'NewTransport' });
export type NewTransport = z.output<typeof newTransport>;

export const transportPatch = z
  .strictObject({
    name: lineOfText(200).optional(),
    settings: settingsIn.optional().meta({ description: 'Replaces the settings as a whole' }),
    limits: limitsIn.optional().meta({ description: 'Replaces the limits as a whole' }),
    secret: secretIn.nullable().optional().meta({ description: 'Replaces the secret; null removes it' }),
    destination_mode: destinationMode.optional(),
  })
  .meta({ id: 'TransportPatch' });
export type TransportPatch = z.output<typeof transportPatch>;

export const transportParams = z.strictObject({ transport_id: idParam('transport') });

export const transportOut = z
  .object({
    id: idOut('transport'),
    name: z.string(),
    kind: z.literal('smtp'),
    is_platform: z
      .boolean()
      .meta({ description: "The platform's, shared by all tenants and read-only to them" }),
    settings: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: "Null for the platform's, to everybody but the admin" }),
    limits: z.record(z.string(), z.unknown()),
    has_secret: z.boolean(),
    destination_mode: destinationMode,
    version: z.int(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Transport' });

export function showTransport(transport: StoredTransport, { asOwner }: { readonly asOwner: boolean }) {
  return {
    id: formatId('transport', transport.id),
    name: transport.name,
    kind: transport.kind,
    is_platform: transport.tenantId === null,
    settings: asOwner ? snakeKeys(transport.settings) : null,
    limits: snakeKeys(transport.limits),
    has_secret: transport.secret !== null,
    destination_mode: transport.destinationMode,
    version: transport.version,
    created_at: transport.createdAt,
    updated_at: transport.updatedAt,
  };
}

export function etagOf({ version }: StoredTransport) {
  return { ETag: formatEtag(version) };
}
