/** The admin's calls: tenants, and a tenant's first API key. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut, idParam, lineOfText, pageOf, pageQuery, timestamp } from '../http/schemas.ts';
import { formatId, type TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { findTenant, insertTenant, listTenants, type Tenant, updateTenant } from './tenant-store.ts';

const weight = z.int().min(1).max(1000).meta({
  description: 'Share of contended destinations, relative to the other tenants',
  example: 100,
});
const name = lineOfText(200).meta({ description: 'For people', example: 'Corner shop' });

const maxPerSecond = z.int().min(1).max(1_000_000).nullable().meta({
  description: 'No faster than so many messages a second, over all destinations; null: no such limit',
  example: 500,
});

const tenantOut = z
  .object({
    ...{ id: idOut('tenant'), name: z.string(), weight: z.int() },
    ...{ max_per_second: z.int().nullable(), created_at: timestamp },
  })
  .meta({ id: 'Tenant' });
const newTenant = z
  .strictObject({ name, weight: weight.default(100), max_per_second: maxPerSecond.default(null) })
  .meta({ id: 'NewTenant' });
const tenantChange = z
  .strictObject({
    ...{ name: name.optional(), weight: weight.optional() },
    max_per_second: maxPerSecond.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'must change something')
  .meta({ id: 'TenantChange' });
const params = z.strictObject({ tenant_id: idParam('tenant') });
const access = { tag: 'Tenants', access: 'admin' } as const;

export function tenantRoutes(sql: Sql): readonly Route[] {
  return [createOne(sql), listAll(sql), getOne(sql), changeOne(sql)];
}

function createOne(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/tenants', operationId: 'createTenant', ...access },
    summary: 'Create a tenant',
    idempotent: true,
    body: newTenant,
    responses: { 201: { description: 'Created', schema: tenantOut, headers: { Location: 'The tenant' } } },
    async handle({ body }) {
      const { max_per_second: maxPerSecond, ...rest } = body;
      const id = await insertTenant(sql, { ...rest, maxPerSecond });
      return json(201, toJson(await readTenant(sql, id)), {
        Location: `/v1/tenants/${formatId('tenant', id)}`,
      });
    },
  });
}

function listAll(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/tenants', operationId: 'listTenants', ...access },
    summary: 'List tenants, oldest first',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(tenantOut) } },
    async handle({ query }) {
      const [afterId] = decodeCursor(query.cursor, z.int()) ?? [0];
      const rows = await listTenants(sql, afterId, query.page_size + 1);
      return json(200, toPage(rows, query.page_size, { item: toJson, position: (row) => [row.id] }));
    },
  });
}

function getOne(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/tenants/{tenant_id}', operationId: 'getTenant', ...access },
    summary: 'Get a tenant',
    params,
    responses: { 200: { description: 'The tenant', schema: tenantOut } },
    handle: async (request) => json(200, toJson(await readTenant(sql, request.params.tenant_id))),
  });
}

function changeOne(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'patch', path: '/v1/tenants/{tenant_id}', operationId: 'updateTenant', ...access },
    summary: "Change a tenant's name, weight or limit",
    params,
    body: tenantChange,
    responses: { 200: { description: 'The changed tenant', schema: tenantOut } },
    async handle(request) {
      const id = request.params.tenant_id;
      const { max_per_second: maxPerSecond, ...rest } = request.body;
      if (!(await updateTenant(sql, id, { ...rest, maxPerSecond }))) throw new AppError('not_found');
      return json(200, toJson(await readTenant(sql, id)));
    },
  });
}

async function readTenant(sql: Sql, id: TenantId): Promise<Tenant> {
  const tenant = await findTenant(sql, id);
  if (!tenant) throw new AppError('not_found');
  return tenant;
}

function toJson({ id, createdAt, maxPerSecond, ...rest }: Tenant) {
  return { id: formatId('tenant', id), ...rest, max_per_second: maxPerSecond, created_at: createdAt };
}
