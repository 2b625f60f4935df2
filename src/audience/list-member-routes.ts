/** `/v1/lists/{list_id}/members`: who is on a list, by profile id or by address. */
import { z } from 'zod';
import type { FieldError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam, pageOf, pageQuery } from '../http/schemas.ts';
import type { ProfileId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { addressHash, parseAddress } from './address.ts';
import { fieldErrorOut, memberOut, showMember } from './audience-schemas.ts';
import { addMembers, findMembers, listMembers, removeMembers } from './list-members.ts';
import { getList, listParams } from './list-routes.ts';
import type { ListKey } from './list-store.ts';
import { describeAddressProblem } from './profile-input.ts';
import { findProfileIds, findProfilesThatExist } from './profile-store.ts';

export interface ListMemberRoutesOptions {
  readonly db: Database;
  /** Keys the HMAC of addresses: the same in every process. */
  readonly addressKey: Buffer;
}

export function listMemberRoutes(options: ListMemberRoutesOptions): Route[] {
  return [membersRoute(options), addRoute(options), removeRoute(options)];
}

const tag = 'Lists';
const maxMembersPerCall = 1_000;

const membersBody = z
  .strictObject({
    profile_ids: z.array(idParam('profile')).max(maxMembersPerCall).default([]),
    emails: z.array(z.string()).max(maxMembersPerCall).default([]),
  })
  .refine(
    ({ profile_ids, emails }) => isBetween(profile_ids.length + emails.length, 1, maxMembersPerCall),
    `names between 1 and ${maxMembersPerCall} profiles in profile_ids and emails together`,
  );

const rejectedOut = z
  .array(fieldErrorOut)
  .meta({ description: 'Items that name no profile; the others went through' });

function membersRoute({ db }: ListMemberRoutesOptions): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/lists/{list_id}/members',
    operationId: 'listMembers',
    summary: 'List the members of a list',
    tag,
    access: 'lists:read',
    params: listParams,
    query: pageQuery,
    responses: { 200: { description: 'A page of members', schema: pageOf(memberOut) } },
    async handle({ tenantId, params: { list_id: id }, query: { cursor, page_size: size } }) {
      const key = { tenantId, id: id };
      const [afterId] = decodeCursor(cursor, z.number().int().min(0)) ?? [0];
      await getList(db, key);
      const rows = await listMembers(db, key, { afterId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showMember, position: (row) => [row.profileId] }));
    },
  });
}

function addRoute(options: ListMemberRoutesOptions): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/lists/{list_id}/members',
    operationId: 'addMembers',
    summary: 'Add up to 1,000 profiles to a list',
    description: 'Naturally idempotent: members stay members.',
    tag,
    access: 'lists:write',
    params: listParams,
    body: membersBody,
    responses: {
      200: {
        description: 'How many are new on the list',
        schema: z.object({
          added: z.number().int(),
          already_members: z.number().int(),
          rejected: rejectedOut,
        }),
      },
    },
    async handle({ tenantId, params: { list_id: id }, body }) {
      const key = { tenantId, id: id };
      await getList(options.db, key);
      const { ids, rejected } = await findNamed(options, tenantId, body);
      const already = await addInSlices(options.db, key, ids);
      return json(200, { added: ids.length - already, already_members: already, rejected });
    },
  });
}

function removeRoute(options: ListMemberRoutesOptions): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/lists/{list_id}/members/remove',
    operationId: 'removeMembers',
    summary: 'Take up to 1,000 profiles off a list',
    description: 'A POST, because a DELETE has no body. Naturally idempotent.',
    tag,
    access: 'lists:write',
    params: listParams,
    body: membersBody,
    responses: {
      200: {
        description: 'How many were on the list',
        schema: z.object({ removed: z.number().int(), rejected: rejectedOut }),
      },
    },
    async handle({ tenantId, params: { list_id: id }, body }) {
      const key = { tenantId, id: id };
      await getList(options.db, key);
      const { ids, rejected } = await findNamed(options, tenantId, body);
      let removed = 0;
      for (const slice of cutSlices(ids)) removed += await removeMembers(options.db, key, slice);
      return json(200, { removed, rejected });
    },
  });
}

interface Named {
  readonly profile_ids: readonly ProfileId[];
  readonly emails: readonly string[];
}

/** The ids of those that exist, each once; the others with a pointer to where they stood. */
async function findNamed(
  { db, addressKey }: ListMemberRoutesOptions,
  tenantId: TenantId,
  { profile_ids: profileIds, emails }: Named,
): Promise<{ ids: readonly ProfileId[]; rejected: readonly FieldError[] }> {
  const ids = new Set<ProfileId>();
  const rejected: FieldError[] = [];
  for (const slice of cutSlices([...profileIds.entries()])) {
    const existing = await findProfilesThatExist(
      db,
      tenantId,
      slice.map(([, id]) => id),
    );
    for (const [index, id] of slice) {
      if (existing.has(id)) ids.add(id);
      else rejected.push({ pointer: `/profile_ids/${index}`, detail: 'is not the id of a profile' });
    }
  }
  for (const slice of cutSlices([...emails.entries()])) {
    const named = slice.map(([index, text]) => ({ index, ...hashText(text, tenantId, addressKey) }));
    const found = await findProfileIds(
      db,
      tenantId,
      named.flatMap(({ hash }) => hash ?? []),
    );
    for (const { index, hash, detail } of named) {
      const id = hash && found.get(hash.toString('hex'));
      if (id) ids.add(id);
      else
        rejected.push({ pointer: `/emails/${index}`, detail: detail ?? 'is not the address of a profile' });
    }
  }
  return { ids: [...ids], rejected };
}

function hashText(text: string, tenantId: TenantId, addressKey: Buffer): { hash?: Buffer; detail?: string } {
  const address = parseAddress(text);
  return address.kind === 'address'
    ? { hash: addressHash(addressKey, tenantId, address.email) }
    : { detail: describeAddressProblem(address.reason) };
}

/** Says how many were members before. */
async function addInSlices(db: Database, key: ListKey, ids: readonly ProfileId[]): Promise<number> {
  let already = 0;
  for (const slice of cutSlices(ids)) {
    already += (await findMembers(db, key, slice)).size;
    await addMembers(db, key, slice);
  }
  return already;
}

function cutSlices<T>(items: readonly T[], size = 500): T[][] {
  const slices: T[][] = [];
  for (let start = 0; start < items.length; start += size) slices.push(items.slice(start, start + size));
  return slices;
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
