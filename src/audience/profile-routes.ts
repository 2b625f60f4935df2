/** `/v1/profiles`: one person at a time. Many at once are in `profile-bulk-routes.ts`. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam, pageOf, pageQuery } from '../http/schemas.ts';
import type { ListId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { addressHash } from './address.ts';
import { conflictOut, profileOut, showProfile } from './audience-schemas.ts';
import { findList } from './list-store.ts';
import type { Profile } from './profile.ts';
import { eraseProfile } from './profile-erasure.ts';
import { addressText, profileFields, profileInput, toConsent, toPatch } from './profile-input.ts';
import {
  findProfile,
  findProfileByHash,
  listProfiles,
  listProfilesOfList,
  updateProfile,
} from './profile-store.ts';
import { saveProfiles } from './profile-upsert.ts';

export interface ProfileRoutesOptions {
  readonly db: Database;
  /** Keys the HMAC of addresses: the same in every process. */
  readonly addressKey: Buffer;
}

export function profileRoutes(options: ProfileRoutesOptions): Route[] {
  return [
    upsertRoute(options),
    listRoute(options),
    getRoute(options),
    updateRoute(options),
    eraseRoute(options),
  ];
}

function profileNotFound(): AppError {
  return new AppError('not_found', { detail: 'There is no such profile, or it was erased' });
}

const tag = 'Profiles';
const params = z.strictObject({ profile_id: idParam('profile') });
const positionShape = z.number().int().min(0);

function upsertRoute({ db, addressKey }: ProfileRoutesOptions): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/profiles',
    operationId: 'upsertProfile',
    summary: 'Create a profile, or update the one that has the address',
    description: 'Attributes are merged. null clears a field or an attribute; what is absent stays.',
    tag,
    access: 'profiles:write',
    idempotent: true,
    body: profileInput,
    responses: {
      200: { description: 'Updated', schema: profileOut },
      201: { description: 'Created', schema: profileOut },
    },
    async handle({ tenantId, body }) {
      const patch = toPatch(body, tenantId, addressKey);
      const hash = Buffer.from(patch.hexHash, 'hex');
      const known = await findProfileByHash(db, tenantId, hash);
      const { oversized } = await saveProfiles(db, { tenantId, patches: [patch] });
      if (oversized.size > 0) throw tooManyAttributes();
      const saved = await findProfileByHash(db, tenantId, hash);
      // Erased between the two statements.
      if (!saved) throw profileNotFound();
      const profile = showProfile(saved);
      return known ? json(200, profile) : json(201, profile, { Location: `/v1/profiles/${profile.id}` });
    },
  });
}

function listRoute({ db, addressKey }: ProfileRoutesOptions): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/profiles',
    operationId: 'listProfiles',
    summary: 'List profiles: all, those of a list, or the one with an address',
    tag,
    access: 'profiles:read',
    query: pageQuery.extend({ list_id: idParam('list').optional(), email: addressText.optional() }),
    responses: { 200: { description: 'A page of profiles', schema: pageOf(profileOut) } },
    async handle({ tenantId, query: { list_id: listId, email, cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, positionShape) ?? [0];
      const page = { tenantId, afterId, limit: size + 1 };
      const rows =
        email === undefined
          ? await readPage(db, page, listId)
          : await readByAddress(db, { ...page, listId, hash: addressHash(addressKey, tenantId, email) });
      return json(200, toPage(rows, size, { item: showProfile, position: (row) => [row.id] }));
    },
  });
}

type PageOfProfiles = Parameters<typeof listProfiles>[1];

async function readPage(db: Database, page: PageOfProfiles, listId?: ListId): Promise<Profile[]> {
  if (listId === undefined) return listProfiles(db, page);
  await assertList(db, page.tenantId, listId);
  return listProfilesOfList(db, page, listId);
}

async function readByAddress(
  db: Database,
  query: { tenantId: TenantId; afterId: number; listId?: ListId | undefined; hash: Buffer },
): Promise<Profile[]> {
  const { tenantId, listId, hash } = query;
  const profile = await findProfileByHash(db, tenantId, hash);
  if (!profile || profile.id <= query.afterId) return [];
  if (listId === undefined) return [profile];
  await assertList(db, tenantId, listId);
  return listProfilesOfList(db, { tenantId, afterId: profile.id - 1, limit: 1 }, listId).then((rows) =>
    rows.filter((row) => row.id === profile.id),
  );
}

async function assertList(db: Database, tenantId: TenantId, id: ListId): Promise<void> {
  if (await findList(db, { tenantId, id })) return;
  throw new AppError('invalid_query', {
    errors: [{ parameter: 'list_id', detail: 'There is no such list' }],
  });
}

function getRoute({ db }: ProfileRoutesOptions): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/profiles/{profile_id}',
    operationId: 'getProfile',
    summary: 'Get a profile',
    tag,
    access: 'profiles:read',
    params,
    responses: { 200: { description: 'The profile', schema: profileOut } },
    async handle({ tenantId, params: { profile_id: id } }) {
      return showFound(await findProfile(db, tenantId, id));
    },
  });
}

function updateRoute({ db, addressKey }: ProfileRoutesOptions): Route {
  return defineRoute({
    method: 'patch',
    path: '/v1/profiles/{profile_id}',
    operationId: 'updateProfile',
    summary: 'Change a profile',
    description: 'As in creating one; here the address may change too. 409 when another profile has it.',
    tag,
    access: 'profiles:write',
    params,
    body: z.strictObject({ email: addressText.optional(), ...profileFields }),
    responses: {
      200: { description: 'The changed profile', schema: profileOut },
      409: conflictOut('Another profile has the address'),
    },
    async handle({ tenantId, params: { profile_id: id }, body }) {
      const { email, phone, time_zone: timeZone, consent, attributes } = body;
      const address =
        email === undefined ? undefined : { email, hash: addressHash(addressKey, tenantId, email) };
      const change = { phone, timeZone, consent: consent && toConsent(consent), attributes };
      return showFound(await updateProfile(db, { tenantId, id }, { change, address }));
    },
  });
}

function eraseRoute({ db }: ProfileRoutesOptions): Route {
  return defineRoute({
    method: 'delete',
    path: '/v1/profiles/{profile_id}',
    operationId: 'eraseProfile',
    summary: 'Erase a person',
    description:
      'The address is suppressed for good by its hash; all data of the profile and its memberships are removed. ' +
      'No message to it starts 2 s later. Erasing again answers the same.',
    tag,
    access: 'profiles:write',
    params,
    responses: { 204: { description: 'Erased' } },
    async handle({ tenantId, params: { profile_id: id } }) {
      if ((await eraseProfile(db, { tenantId, id })) === 'unknown') throw profileNotFound();
      return json(204);
    },
  });
}

function showFound(profile: Profile | undefined) {
  if (!profile) throw profileNotFound();
  return json(200, showProfile(profile));
}

function tooManyAttributes(): AppError {
  return new AppError('invalid_request', {
    errors: [{ pointer: '/attributes', detail: 'with what is stored is more than a profile may have' }],
  });
}
