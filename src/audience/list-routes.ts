/** `/v1/lists`. Their members are in `list-member-routes.ts`. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam, lineOfText, pageOf, pageQuery } from '../http/schemas.ts';
import { newId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import { listOut, showList } from './audience-schemas.ts';
import {
  deleteList,
  findList,
  insertList,
  type List,
  type ListKey,
  listLists,
  renameList,
} from './list-store.ts';

export interface ListRoutesOptions {
  readonly db: Database;
}

export function listRoutes({ db }: ListRoutesOptions): Route[] {
  return [createRoute(db), listRoute(db), getRoute(db), renameRoute(db), deleteRoute(db)];
}

export const listParams = z.strictObject({ list_id: idParam('list') });

/** The list, or a 404. */
export async function getList(db: Database, key: ListKey): Promise<List> {
  const list = await findList(db, key);
  if (!list) throw new AppError('not_found', { detail: 'There is no such list' });
  return list;
}

const tag = 'Lists';
const nameBody = z.strictObject({ name: lineOfText(200) });

function createRoute(db: Database): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/lists',
    operationId: 'createList',
    summary: 'Create a list',
    tag,
    access: 'lists:write',
    idempotent: true,
    body: nameBody,
    responses: { 201: { description: 'The new list', schema: listOut } },
    async handle({ tenantId, body: { name } }) {
      const id = await insertWithNewId(
        () => newId('list'),
        (id) => insertList(db, { tenantId, id }, name),
      );
      const list = showList(await getList(db, { tenantId, id: id }));
      return json(201, list, { Location: `/v1/lists/${list.id}` });
    },
  });
}

function listRoute(db: Database): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/lists',
    operationId: 'listLists',
    summary: 'List the lists',
    tag,
    access: 'lists:read',
    query: pageQuery,
    responses: { 200: { description: 'A page of lists', schema: pageOf(listOut) } },
    async handle({ tenantId, query: { cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, z.number().int().min(0)) ?? [0];
      const rows = await listLists(db, { tenantId, afterId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showList, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/lists/{list_id}',
    operationId: 'getList',
    summary: 'Get a list',
    tag,
    access: 'lists:read',
    params: listParams,
    responses: { 200: { description: 'The list', schema: listOut } },
    async handle({ tenantId, params: { list_id: id } }) {
      return json(200, showList(await getList(db, { tenantId, id: id })));
    },
  });
}

function renameRoute(db: Database): Route {
  return defineRoute({
    method: 'patch',
    path: '/v1/lists/{list_id}',
    operationId: 'renameList',
    summary: 'Rename a list',
    tag,
    access: 'lists:write',
    params: listParams,
    body: nameBody,
    responses: { 200: { description: 'The renamed list', schema: listOut } },
    async handle({ tenantId, params: { list_id: id }, body: { name } }) {
      const key = { tenantId, id: id };
      await renameList(db, key, name);
      return json(200, showList(await getList(db, key)));
    },
  });
}

function deleteRoute(db: Database): Route {
  return defineRoute({
    method: 'delete',
    path: '/v1/lists/{list_id}',
    operationId: 'deleteList',
    summary: 'Delete a list',
    description:
      'The profiles on it stay. Its memberships are removed in the background. Refused while a campaign that is scheduled or expanding uses it.',
    tag,
    access: 'lists:write',
    params: listParams,
    problems: ['conflict'],
    responses: { 204: { description: 'Deleted' } },
    async handle({ tenantId, params: { list_id: id } }) {
      const deletion = await deleteList(db, { tenantId, id });
      if (deletion === 'unknown') throw new AppError('not_found', { detail: 'There is no such list' });
      if (deletion === 'in_use') {
        throw new AppError('conflict', {
          detail: 'A campaign that is scheduled or expanding uses this list',
        });
      }
      return json(204);
    },
  });
}
