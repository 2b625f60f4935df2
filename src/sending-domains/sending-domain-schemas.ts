/** Sending domains in the API: what to publish in the DNS, and never a private key. */
import { z } from 'zod';
import { parseDomain } from '../audience/address.ts';
import { dkimRecord } from '../dkim/dkim-key.ts';
import { idOut, idParam, pageQuery, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import type { SendingDomain } from './sending-domain-store.ts';

const domainIn = z
  .string()
  .max(253)
  .transform((text, context) => {
    const domain = parseDomain(text.trim());
    if (domain !== undefined) return domain;
    context.addIssue({ code: 'custom', message: 'is not a domain name' });
    return z.NEVER;
  })
  .meta({ description: 'The domain of From, exactly', example: 'news.example.com' });

/** RFC 6376, 3.1: labels of a host name. */
const selectorIn = z
  .string()
  .max(63)
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/, 'is not a selector')
  .meta({ description: 'Names the key below the domain; made when not given', example: 's2026' });

const algorithm = z.enum(['rsa-sha256', 'ed25519-sha256']);

const privateKeyIn = z
  .string()
  .max(10_000)
  .meta({
    description:
      'PEM, without a passphrase: RSA of 1024 to 4096 bits, or Ed25519. Encrypted at rest and never returned. ' +
      'Without it a key is made: RSA has 2048 bits',
  });

export const newSendingDomain = z
  .strictObject({
    domain: domainIn,
    selector: selectorIn.optional(),
    algorithm: algorithm.optional().meta({ description: 'Default: that of `private_key`, or `rsa-sha256`' }),
    private_key: privateKeyIn.optional(),
    is_active: z
      .boolean()
      .default(false)
      .meta({ description: 'Sign at once: only when the record is in the DNS already' }),
  })
  .meta({ id: 'NewSendingDomain' });
export type NewSendingDomainBody = z.output<typeof newSendingDomain>;

export const rotation = z
  .strictObject({ selector: selectorIn.optional(), private_key: privateKeyIn.optional() })
  .meta({ id: 'SendingDomainRotation' });
export type Rotation = z.output<typeof rotation>;

export const sendingDomainParams = z.strictObject({ sending_domain_id: idParam('sendingDomain') });
export const sendingDomainQuery = pageQuery.extend({ domain: domainIn.optional() });

export const sendingDomainOut = z
  .object({
    id: idOut('sendingDomain'),
    domain: z.string(),
    selector: z.string(),
    algorithm,
    is_active: z.boolean().meta({ description: 'It signs what is sent from the domain' }),
    dns_record: z
      .object({
        name: z.string(),
        type: z.literal('TXT'),
        value: z.string(),
        strings: z
          .array(z.string())
          .meta({ description: 'The same for a zone file: a string of a TXT record has at most 255 octets' }),
      })
      .meta({ description: 'To be published before the key is activated' }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'SendingDomain' });

export const recordCheckOut = z
  .object({
    ok: z.boolean(),
    result: z.enum(['published', 'absent', 'different', 'several', 'unreachable']).meta({
      description:
        '`different`: a record is there and not that of this key; `several`: more than one, so that none counts; `unreachable`: the DNS gave no answer in time',
    }),
    expected: z.string(),
    found: z.array(z.string()).meta({ description: 'What the DNS holds under that name, shortened' }),
  })
  .meta({ id: 'SendingDomainVerification' });

export function showSendingDomain(row: SendingDomain) {
  const record = dkimRecord(row);
  return {
    id: formatId('sendingDomain', row.id),
    domain: row.domain,
    selector: row.selector,
    algorithm: row.algorithm,
    is_active: row.isActive,
    dns_record: { ...record, strings: record.value.match(/.{1,255}/g) ?? [] },
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  };
}
