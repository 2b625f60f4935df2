import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { tenantRoutes } from './tenant-routes.ts';

let api: TestApi;
let monotonicMs = 1_000;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => [...tenantRoutes(db), ...apiKeyRoutes(db)],
    clock: { now: Date.now, monotonic: () => monotonicMs },
  });
});
afterAll(() => api.stop());

const bearer = (secret: string) => ({ headers: { Authorization: `Bearer ${secret}` } });

test('the admin makes a tenant and its first key, and the key works', async () => {
  const tenant = await api.admin.post('/v1/tenants', { name: ' Corner shop ' });
  expect(tenant).toMatchObject({ status: 201, body: { name: 'Corner shop', weight: 100 } });
  expect(tenant.headers.get('location')).toBe(`/v1/tenants/${tenant.body.id}`);
  const key = await api.admin.post(`/v1/tenants/${tenant.body.id}/api-keys`, {
    name: 'first',
    scopes: ['*'],
  });
  expect(key.status).toBe(201);
  const { secret, ...shown } = key.body;
  expect(secret).toMatch(/^sk_[\w-]{43}$/);
  expect(shown.hint).toBe(secret.slice(-4));
  const list = await api.anonymous.get('/v1/api-keys', bearer(secret));
  expect(list.body).toEqual({ data: [shown], next_cursor: null });
  expect(list.text).not.toContain(secret);
});

test('of a secret only the hash is in the database, also where the reply is kept for replay', async () => {
  const tenant = await api.createTenant();
  const { body } = await tenant.post('/v1/api-keys', { name: 'k', scopes: ['keys:read'] });
  for (const table of ['api_keys', 'idempotency_keys']) {
    const rows = await api.db.rows(`SELECT * FROM ${table}`);
    expect(JSON.stringify(rows)).not.toContain(body.secret);
  }
});

test('tenants are listed page by page and changed', async () => {
  await api.admin.post('/v1/tenants', { name: 'one more', weight: 5 });
  const all = await api.admin.get('/v1/tenants?page_size=200');
  let cursor = '';
  const paged: unknown[] = [];
  do {
    const page = await api.admin.get(`/v1/tenants?page_size=1${cursor && `&cursor=${cursor}`}`);
    paged.push(...page.body.data);
    cursor = page.body.next_cursor;
  } while (cursor);
  expect(paged).toEqual(all.body.data);
  const { id } = all.body.data.at(-1);
  expect((await api.admin.patch(`/v1/tenants/${id}`, { weight: 7 })).body).toMatchObject({ weight: 7 });
  expect((await api.admin.get(`/v1/tenants/${id}`)).body).toMatchObject({ id, weight: 7 });
  expect((await api.admin.patch(`/v1/tenants/${id}`, {})).status).toBe(422);
  expect((await api.admin.get('/v1/tenants/ten_00000000001')).status).toBe(404);
  const limited = await api.admin.patch(`/v1/tenants/${id}`, { max_per_second: 50 });
  expect(limited.body).toMatchObject({ weight: 7, max_per_second: 50 });
  expect((await api.admin.patch(`/v1/tenants/${id}`, { weight: 8 })).body).toMatchObject({
    max_per_second: 50,
  });
  expect(
    (await api.admin.patch(`/v1/tenants/${id}`, { max_per_second: null })).body.max_per_second,
  ).toBeNull();
  expect((await api.admin.patch('/v1/tenants/ten_00000000001', { weight: 7 })).status).toBe(404);
});

test('a key hands on only the scopes that it has', async () => {
  const tenant = await api.createTenant({ scopes: ['keys:write', 'lists:read'] });
  const refused = await tenant.post('/v1/api-keys', {
    name: 'x',
    scopes: ['lists:read', 'lists:write', '*'],
  });
  expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  expect(refused.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
    '/scopes/1',
    '/scopes/2',
  ]);
  const allowed = await tenant.post('/v1/api-keys', { name: 'x', scopes: ['lists:read', 'lists:read'] });
  expect(allowed).toMatchObject({ status: 201, body: { scopes: ['lists:read'] } });
});

test('a revoked key opens nothing two seconds later', async () => {
  const tenant = await api.createTenant();
  const { body } = await tenant.post('/v1/api-keys', { name: 'x', scopes: ['keys:read'] });
  expect((await api.anonymous.get('/v1/api-keys', bearer(body.secret))).status).toBe(200);
  expect((await tenant.delete(`/v1/api-keys/${body.id}`)).status).toBe(204);
  monotonicMs += 2_000;
  expect((await api.anonymous.get('/v1/api-keys', bearer(body.secret))).status).toBe(401);
  const revoked = await tenant.get(`/v1/api-keys/${body.id}`);
  expect(revoked.body.revoked_at).toMatch(/Z$/);
  expect((await tenant.delete(`/v1/api-keys/${body.id}`)).status).toBe(204);
  expect((await tenant.get(`/v1/api-keys/${body.id}`)).body).toEqual(revoked.body);
});

test("one tenant can't see, list or revoke the keys of another", async () => {
  const [one, two] = await Promise.all([api.createTenant(), api.createTenant()]);
  const { body } = await one.post('/v1/api-keys', { name: 'mine', scopes: ['keys:read'] });
  expect((await two.get(`/v1/api-keys/${body.id}`)).status).toBe(404);
  expect((await two.delete(`/v1/api-keys/${body.id}`)).status).toBe(404);
  const listed = await two.get('/v1/api-keys');
  expect(listed.body.data).toHaveLength(1);
  expect(listed.text).not.toContain(body.id);
  expect((await one.get(`/v1/api-keys/${body.id}`)).body.revoked_at).toBeNull();
});

test('the same Idempotency-Key of two tenants makes two things', async () => {
  const [one, two] = await Promise.all([api.createTenant(), api.createTenant()]);
  const call = { headers: { 'Idempotency-Key': 'same' } };
  const body = { name: 'x', scopes: ['keys:read'] };
  const [a, b] = await Promise.all([
    one.post('/v1/api-keys', body, call),
    two.post('/v1/api-keys', body, call),
  ]);
  expect([a.status, b.status]).toEqual([201, 201]);
  expect(a.body.id).not.toBe(b.body.id);
});

test('admin and tenants keep to their own calls', async () => {
  const tenant = await api.createTenant();
  expect((await tenant.get('/v1/tenants')).status).toBe(403);
  expect((await api.admin.get('/v1/api-keys')).status).toBe(403);
  const reader = await api.createKey(tenant.tenantId, ['keys:read']);
  const refused = await reader.post('/v1/api-keys', { name: 'x', scopes: ['keys:read'] });
  expect(refused).toMatchObject({ status: 403, body: { detail: 'This call needs the scope keys:write' } });
  expect(refused.headers.get('www-authenticate')).toContain('scope="keys:write"');
});

test.each([
  [{ name: '', scopes: ['*'] }, ['/name']],
  [{ name: 'a\nb', scopes: [] }, ['/name', '/scopes']],
  [{ scopes: ['everything'], extra: 1 }, ['/name', '/scopes/0', '/extra']],
  [{ name: 'x'.repeat(201), scopes: ['*'] }, ['/name']],
  ['text', ['']],
  [[], ['']],
])('a key made of %j is refused with every error', async (body, pointers) => {
  const tenant = await api.createTenant();
  const reply = await tenant.post('/v1/api-keys', body);
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(pointers);
});
