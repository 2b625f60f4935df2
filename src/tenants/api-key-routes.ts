/** API keys: the admin makes a tenant's first one, the tenant makes, lists and revokes the others. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { hasScope } from '../http/principal.ts';
import { defineRoute, type GrantedScope, json, type Route, type RouteReply, scopes } from '../http/route.ts';
import { idOut, idParam, lineOfText, pageOf, pageQuery, timestamp } from '../http/schemas.ts';
import { createKeySecret, hashSecret, hintOf } from '../http/secret.ts';
import { formatId, type TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { type ApiKey, findApiKey, insertApiKey, listApiKeys, revokeApiKey } from './api-key-store.ts';
import { findTenant } from './tenant-store.ts';

const scope = z
  .enum(['*', ...scopes])
  .meta({ description: 'What a key may do; `*` is everything of its tenant', example: 'campaigns:write' });

const apiKeyOut = z
  .object({
    id: idOut('apiKey'),
    name: z.string(),
    scopes: z.array(scope),
    hint: z.string().meta({ description: 'The last four characters of the secret', example: 'x4Qz' }),
    created_at: timestamp,
    last_used_at: timestamp.nullable().meta({ description: 'To the minute' }),
    revoked_at: timestamp.nullable(),
  })
  .meta({ id: 'ApiKey' });
const createdKey = apiKeyOut
  .extend({ secret: z.string().meta({ description: 'For `Authorization: Bearer`. Shown this once' }) })
  .meta({ id: 'CreatedApiKey' });
const newKey = z
  .strictObject({
    name: lineOfText(200).meta({ description: 'For people', example: 'Shop back end' }),
    scopes: z
      .array(scope)
      .min(1)
      .max(scopes.length + 1)
      .transform((list) => [...new Set(list)]),
  })
  .meta({ id: 'NewApiKey' });

const created = {
  201: {
    description: 'Created. The only time the secret is shown',
    schema: createdKey,
    headers: { Location: 'The key' },
  },
};
const params = z.strictObject({ api_key_id: idParam('apiKey') });
const tag = 'API keys';

export function apiKeyRoutes(sql: Sql): readonly Route[] {
  return [createForTenant(sql), createOwn(sql), listOwn(sql), getOwn(sql), revokeOwn(sql)];
}

function createForTenant(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/tenants/{tenant_id}/api-keys', operationId: 'createTenantApiKey', tag },
    summary: 'Create an API key for a tenant',
    access: 'admin',
    idempotent: true,
    params: z.strictObject({ tenant_id: idParam('tenant') }),
    body: newKey,
    responses: created,
    async handle(request) {
      const tenantId = request.params.tenant_id;
      if (!(await findTenant(sql, tenantId))) throw new AppError('not_found');
      return replyWithNewKey(sql, tenantId, request.body);
    },
  });
}

function createOwn(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/api-keys', operationId: 'createApiKey', tag },
    summary: 'Create an API key',
    description: 'A key can hand on the scopes that it has itself, and no others.',
    access: 'keys:write',
    idempotent: true,
    body: newKey,
    responses: created,
    async handle(request) {
      assertMayGrant(request.scopes, request.body.scopes);
      return replyWithNewKey(sql, request.tenantId, request.body);
    },
  });
}

function listOwn(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/api-keys', operationId: 'listApiKeys', tag },
    summary: 'List API keys, oldest first, revoked ones too',
    access: 'keys:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(apiKeyOut) } },
    async handle({ tenantId, query }) {
      const [afterId] = decodeCursor(query.cursor, z.int()) ?? [0];
      const rows = await listApiKeys(sql, tenantId, { afterId, limit: query.page_size + 1 });
      return json(200, toPage(rows, query.page_size, { item: toJson, position: (row) => [row.id] }));
    },
  });
}

function getOwn(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/api-keys/{api_key_id}', operationId: 'getApiKey', tag },
    summary: 'Get an API key',
    access: 'keys:read',
    params,
    responses: { 200: { description: 'The key, without its secret', schema: apiKeyOut } },
    async handle(request) {
      const key = await findApiKey(sql, request.tenantId, request.params.api_key_id);
      if (!key) throw new AppError('not_found');
      return json(200, toJson(key));
    },
  });
}

function revokeOwn(sql: Sql): Route {
  return defineRoute({
    ...{ method: 'delete', path: '/v1/api-keys/{api_key_id}', operationId: 'revokeApiKey', tag },
    summary: 'Revoke an API key',
    description: 'It opens nothing any more within two seconds, on every process.',
    access: 'keys:write',
    params,
    responses: { 204: { description: 'Revoked, now or before' } },
    async handle(request) {
      if (!(await revokeApiKey(sql, request.tenantId, request.params.api_key_id)))
        throw new AppError('not_found');
      return json(204);
    },
  });
}

function assertMayGrant(own: readonly GrantedScope[], wanted: readonly GrantedScope[]): void {
  const errors = wanted.flatMap((scope, i) =>
    hasScope(own, scope) ? [] : [{ pointer: `/scopes/${i}`, detail: `your key lacks ${scope}` }],
  );
  if (errors.length > 0)
    throw new AppError('forbidden', { detail: 'A key can grant only scopes it has', errors });
}

async function replyWithNewKey(
  sql: Sql,
  tenantId: TenantId,
  { name, scopes }: { name: string; scopes: readonly GrantedScope[] },
): Promise<RouteReply> {
  const secret = createKeySecret();
  const id = await insertApiKey(sql, tenantId, {
    name,
    scopes,
    hash: hashSecret(secret),
    hint: hintOf(secret),
  });
  const key = await findApiKey(sql, tenantId, id);
  if (!key) throw new AppError('internal');
  return json(201, { ...toJson(key), secret }, { Location: `/v1/api-keys/${formatId('apiKey', id)}` });
}

function toJson(key: ApiKey) {
  const { id, name, hint, scopes, createdAt, lastUsedAt, revokedAt } = key;
  return {
    ...{ id: formatId('apiKey', id), name, scopes, hint },
    ...{ created_at: createdAt, last_used_at: lastUsedAt, revoked_at: revokedAt },
  };
}
