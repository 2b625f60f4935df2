/** `/v1/profiles/bulk`: up to a thousand profiles in one call, each with a result of its own. */
import { z } from 'zod';
import type { FieldError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut } from '../http/schemas.ts';
import { formatId, type ProfileId, type TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { fieldErrorOut } from './audience-schemas.ts';
import type { ProfilePatch } from './profile.ts';
import { parseProfile, toPatch } from './profile-input.ts';
import type { ProfileRoutesOptions } from './profile-routes.ts';
import { findProfileIds } from './profile-store.ts';
import { maxHashesPerStatement, saveProfiles } from './profile-upsert.ts';

const bulkResult = z.object({
  index: z.number().int().meta({ description: 'Of the item in `profiles`' }),
  status: z.enum(['created', 'updated', 'rejected']),
  id: idOut('profile').optional(),
  errors: z.array(fieldErrorOut).optional(),
});

const profilesBody = z.strictObject({
  profiles: z
    .array(z.unknown())
    .min(1)
    .max(1000)
    .meta({
      description: 'Each like the body of `POST /v1/profiles`',
      example: [{ email: 'ada@example.com' }],
    }),
});

const bulkOut = z.object({
  created: z.number().int(),
  updated: z.number().int(),
  rejected: z.number().int(),
  results: z.array(bulkResult),
});

export function profileBulkRoutes({ db, addressKey }: ProfileRoutesOptions): Route[] {
  const route = defineRoute({
    method: 'post',
    path: '/v1/profiles/bulk',
    operationId: 'upsertProfiles',
    summary: 'Create or update up to 1,000 profiles',
    description:
      'Each item is shaped as for creating one. An item with errors is reported and the others go in. Naturally ' +
      'idempotent: the same call again changes nothing.',
    tag: 'Profiles',
    access: 'profiles:write',
    body: profilesBody,
    responses: { 200: { description: 'What became of each item, in their order', schema: bulkOut } },
    async handle({ tenantId, body: { profiles } }) {
      const items = profiles.map((value, index) => readItem(value, { index, tenantId, addressKey }));
      const results = await saveItems(db, tenantId, items);
      const count = (status: string) => results.filter((result) => result.status === status).length;
      return json(200, {
        created: count('created'),
        updated: count('updated'),
        rejected: count('rejected'),
        results,
      });
    },
  });
  return [route];
}

type Item =
  | { readonly index: number; readonly patch: ProfilePatch }
  | { readonly index: number; readonly errors: readonly FieldError[] };

function readItem(
  value: unknown,
  { index, tenantId, addressKey }: { index: number; tenantId: TenantId; addressKey: Buffer },
): Item {
  const parsed = parseProfile(value, `/profiles/${index}`);
  return parsed.kind === 'profile'
    ? { index, patch: toPatch(parsed.input, tenantId, addressKey) }
    : { index, errors: parsed.errors };
}

async function saveItems(db: Database, tenantId: TenantId, items: readonly Item[]) {
  const patches = items.flatMap((item) => ('patch' in item ? [item.patch] : []));
  const known = await findAllIds(db, tenantId, patches);
  const { oversized } = await saveProfiles(db, { tenantId, patches });
  const ids = await findAllIds(db, tenantId, patches);
  return items.map((item) => toResult(item, { oversized, known, ids }));
}

async function findAllIds(db: Database, tenantId: TenantId, patches: readonly ProfilePatch[]) {
  const ids = new Map<string, ProfileId>();
  for (let start = 0; start < patches.length; start += maxHashesPerStatement) {
    const some = patches.slice(start, start + maxHashesPerStatement);
    const hashes = some.map((patch) => Buffer.from(patch.hexHash, 'hex'));
    for (const [hash, id] of await findProfileIds(db, tenantId, hashes)) ids.set(hash, id);
  }
  return ids;
}

interface Outcome {
  readonly oversized: ReadonlySet<string>;
  readonly known: ReadonlyMap<string, ProfileId>;
  readonly ids: ReadonlyMap<string, ProfileId>;
}

function toResult(item: Item, { oversized, known, ids }: Outcome) {
  const { index } = item;
  if ('errors' in item) return { index, status: 'rejected', errors: item.errors };
  const hash = item.patch.hexHash;
  if (oversized.has(hash)) {
    const detail = 'with what is stored is more than a profile may have';
    return { index, status: 'rejected', errors: [{ pointer: `/profiles/${index}/attributes`, detail }] };
  }
  const id = ids.get(hash);
  // Without an id it was erased in the moment since.
  return {
    index,
    status: known.has(hash) ? 'updated' : 'created',
    ...(id && { id: formatId('profile', id) }),
  };
}
