import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProfileId, parseId, type TenantId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { addressHash } from './address.ts';
import { listMemberRoutes } from './list-member-routes.ts';
import { listRoutes } from './list-routes.ts';
import { profileBulkRoutes } from './profile-bulk-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { suppressionRoutes } from './suppression-routes.ts';

let api: TestApi;
let tenant: TestTenant;
const addressKey = Buffer.alloc(32, 7);

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => [
      ...profileRoutes({ db, addressKey }),
      ...profileBulkRoutes({ db, addressKey }),
      ...listRoutes({ db }),
      ...listMemberRoutes({ db, addressKey }),
      ...suppressionRoutes({ db, addressKey }),
    ],
  });
  tenant = await api.createTenant();
});
afterAll(() => api.stop());

test('an address is created once and updated from then on', async () => {
  const consent = { status: 'subscribed', source: 'checkout', at: '2026-01-02T03:04:05.000Z' };
  const first = await tenant.post('/v1/profiles', {
    email: ' Ada@Example.COM ',
    phone: '+4915112345678',
    time_zone: 'Europe/Berlin',
    consent,
    attributes: { first_name: 'Ada', tags: ['a', { b: null }], keep: 1, old: 'x', never: null },
  });
  expect(first.status).toBe(201);
  expect(first.headers.get('location')).toBe(`/v1/profiles/${first.body.id}`);
  expect(first.body).toMatchObject({ email: 'Ada@example.com', phone: '+4915112345678', consent });
  expect(first.body.attributes).toEqual({ first_name: 'Ada', tags: ['a', { b: null }], keep: 1, old: 'x' });

  const second = await tenant.post('/v1/profiles', {
    email: 'ada@example.com',
    phone: null,
    attributes: { old: null, tags: { now: 'an object', not: null }, more: true },
  });
  expect(second.status).toBe(200);
  expect(second.body).toMatchObject({
    id: first.body.id,
    phone: null,
    time_zone: 'Europe/Berlin',
    consent,
    attributes: { first_name: 'Ada', tags: { now: 'an object' }, keep: 1, more: true },
  });
  expect(second.body.attributes).not.toHaveProperty('old');
  expect((await tenant.get(`/v1/profiles/${first.body.id}`)).body).toEqual(second.body);
});

test('null in a field that was never there stays absence', async () => {
  const { body } = await tenant.post('/v1/profiles', {
    email: 'nobody@example.com',
    phone: null,
    time_zone: null,
    consent: null,
    attributes: { a: null, b: { c: null } },
  });
  expect(body).toMatchObject({ phone: null, time_zone: null, consent: null, attributes: { b: {} } });
});

test.each([
  [{}, '/email'],
  [{ email: 5 }, '/email'],
  [{ email: 'nobody' }, '/email'],
  [{ email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
  [{ email: 'a@example.com, b@example.com' }, '/email'],
  [{ email: 'a@example.com', phone: '0151 1' }, '/phone'],
  [{ email: 'a@example.com', time_zone: '+02:00' }, '/time_zone'],
  [{ email: 'a@example.com', consent: { status: 'yes', source: 'x', at: 'now' } }, '/consent/status'],
  [{ email: 'a@example.com', attributes: [] }, '/attributes'],
  [{ email: 'a@example.com', attributes: null }, '/attributes'],
  [{ email: 'a@example.com', attributes: { 'a/b~c': 1 } }, '/attributes/a~1b~0c'],
  [{ email: 'a@example.com', attributes: { a: 'x'.repeat(103_000) } }, '/attributes'],
  [{ email: 'a@example.com', first_name: 'Ada' }, '/first_name'],
])('bad profile %# is refused with a pointer', async (body, pointer) => {
  const reply = await tenant.post('/v1/profiles', body);
  expect(reply.status).toBe(422);
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
});

test('a profile cannot grow beyond the limits by many small patches', async () => {
  const email = 'grows@example.com';
  for (const name of ['a', 'b']) {
    const reply = await tenant.post('/v1/profiles', { email, attributes: { [name]: 'x'.repeat(100_000) } });
    expect(reply.status).toBeLessThan(300);
  }
  const third = await tenant.post('/v1/profiles', {
    email,
    phone: '+491234567',
    attributes: { c: 'x'.repeat(100_000) },
  });
  expect(third.status).toBe(422);
  const bulk = await tenant.post('/v1/profiles/bulk', {
    profiles: [{ email: 'small@example.com' }, { email, attributes: { c: 'x'.repeat(50_000) } }],
  });
  expect(bulk.body).toMatchObject({ created: 1, rejected: 1 });
  expect(bulk.body.results[1].errors[0].pointer).toBe('/profiles/1/attributes');
  const { body } = await tenant.get(`/v1/profiles?email=${email}`);
  expect(body.data[0].phone).toBeNull();
  expect(Object.keys(body.data[0].attributes)).toEqual(['a', 'b']);
});

test('in a bulk call the bad items are reported and the rest goes in', async () => {
  const reply = await tenant.post('/v1/profiles/bulk', {
    profiles: [
      { email: 'b1@example.com', attributes: { n: 1 } },
      { email: 'not an address', phone: 'x' },
      7,
      { email: 'b2@example.com' },
      { email: 'B1@example.com', attributes: { m: 2 } },
      { email: 'ada@example.com', nope: 1 },
    ],
  });
  expect(reply.status).toBe(200);
  expect(reply.body).toMatchObject({ created: 3, updated: 0, rejected: 3 });
  const [first, bad, seven, , again, extra] = reply.body.results;
  expect(bad.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
    '/profiles/1/email',
    '/profiles/1/phone',
  ]);
  expect(seven.errors[0].pointer).toBe('/profiles/2');
  expect(extra.errors).toEqual([{ pointer: '/profiles/5/nope', detail: 'is not a known field' }]);
  expect(again.id).toBe(first.id);
  const stored = await tenant.get(`/v1/profiles/${first.id}`);
  expect(stored.body).toMatchObject({ email: 'B1@example.com', attributes: { n: 1, m: 2 } });
  const replay = await tenant.post('/v1/profiles/bulk', { profiles: [{ email: 'b2@example.com' }] });
  expect(replay.body).toMatchObject({ created: 0, updated: 1 });
});

test.each([[{}], [{ profiles: [] }], [{ profiles: {} }], [{ profiles: Array(1001).fill({}) }]])(
  'bulk call %# is refused as a whole',
  async (body) => {
    expect((await tenant.post('/v1/profiles/bulk', body)).status).toBe(422);
  },
);

test('a thousand profiles go in by one call, and two such calls at once both come through', async () => {
  const own = await api.createTenant();
  const profiles = Array.from({ length: 1000 }, (_, i) => ({
    email: `t${i}@example.com`,
    attributes: { i },
  }));
  const replies = await Promise.all([
    own.post('/v1/profiles/bulk', { profiles }),
    own.post('/v1/profiles/bulk', { profiles: profiles.toReversed() }),
  ]);
  expect(replies.map((reply) => reply.status)).toEqual([200, 200]);
  let cursor: string | null = '';
  const emails = new Set<string>();
  while (cursor !== null) {
    const page: { body: { data: { email: string }[]; next_cursor: string | null } } = await own.get(
      `/v1/profiles?page_size=200${cursor && `&cursor=${cursor}`}`,
    );
    for (const { email } of page.body.data) emails.add(email);
    cursor = page.body.next_cursor;
  }
  expect(emails.size).toBe(1000);
});

test('profiles are changed by id, the address too unless another has it', async () => {
  const { body: one } = await tenant.post('/v1/profiles', {
    email: 'one@example.com',
    attributes: { a: 1, b: { c: 1 } },
  });
  await tenant.post('/v1/profiles', { email: 'two@example.com' });
  const path = `/v1/profiles/${one.id}`;
  const changed = await tenant.patch(path, {
    email: 'uno@example.com',
    time_zone: 'Asia/Tokyo',
    attributes: { a: null, b: { d: 2 } },
  });
  expect(changed.body).toMatchObject({
    email: 'uno@example.com',
    time_zone: 'Asia/Tokyo',
    attributes: { b: { c: 1, d: 2 } },
  });
  expect(changed.body.attributes).not.toHaveProperty('a');
  expect((await tenant.patch(path, { email: 'Two@example.com' })).status).toBe(409);
  expect((await tenant.patch(path, { time_zone: null })).body).toMatchObject({
    email: 'uno@example.com',
    time_zone: null,
  });
  expect((await tenant.get('/v1/profiles?email=one@example.com')).body.data).toEqual([]);
  expect((await tenant.get('/v1/profiles?email=UNO@example.com')).body.data).toMatchObject([{ id: one.id }]);
});

test('profiles are listed by list, and an unknown list is said to be one', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Some' });
  await tenant.post('/v1/profiles', { email: 'member@example.com' });
  await tenant.post('/v1/profiles', { email: 'stranger@example.com' });
  await tenant.post(`/v1/lists/${list.id}/members`, { emails: ['member@example.com'] });
  const emailsOf = async (query: string) =>
    (await tenant.get(`/v1/profiles?list_id=${list.id}${query}`)).body.data.map(
      ({ email }: { email: string }) => email,
    );
  expect(await emailsOf('')).toEqual(['member@example.com']);
  expect(await emailsOf('&email=member@example.com')).toEqual(['member@example.com']);
  expect(await emailsOf('&email=stranger@example.com')).toEqual([]);
  const unknown = await tenant.get('/v1/profiles?list_id=lst_00000000001');
  expect(unknown).toMatchObject({ status: 400, body: { errors: [{ parameter: 'list_id' }] } });
});

test('erasing leaves a hash that is suppressed, an empty row and nothing else, and can be repeated', async () => {
  const { body: profile } = await tenant.post('/v1/profiles', {
    email: 'gone@example.com',
    attributes: { a: 1 },
  });
  const { body: list } = await tenant.post('/v1/lists', { name: 'Erased' });
  await tenant.post(`/v1/lists/${list.id}/members`, { profile_ids: [profile.id] });
  const path = `/v1/profiles/${profile.id}`;
  expect((await tenant.delete(path)).status).toBe(204);
  expect((await tenant.delete(path)).status).toBe(204);
  expect((await tenant.get(path)).status).toBe(404);
  expect((await tenant.patch(path, { phone: null })).status).toBe(404);
  expect((await tenant.get(`/v1/lists/${list.id}/members`)).body.data).toEqual([]);
  const id = parseId('profile', profile.id) as ProfileId;
  const [row] = await api.db.rows('SELECT * FROM profiles WHERE tenant_id = ? AND id = ?', [
    tenant.tenantId,
    id,
  ]);
  expect(row).toMatchObject({ email: null, email_hash: null, phone: null, consent: null, attributes: null });
  const hash = addressHash(addressKey, tenant.tenantId, 'gone@example.com');
  const suppressed = await api.db.rows(
    'SELECT scope, reason FROM suppressions WHERE tenant_id = ? AND address_hash = ?',
    [tenant.tenantId, hash],
  );
  expect(suppressed).toEqual([{ scope: '*', reason: 'erased' }]);
  expect((await tenant.delete('/v1/suppressions?email=gone@example.com')).status).toBe(409);
  const again = await tenant.post('/v1/profiles', { email: 'gone@example.com' });
  expect(again).toMatchObject({ status: 201 });
  expect(again.body.id).not.toBe(profile.id);
});

test('one tenant neither sees nor touches the profiles of another', async () => {
  const other = await api.createTenant();
  const { body: mine } = await tenant.post('/v1/profiles', {
    email: 'shared@example.com',
    attributes: { a: 1 },
  });
  const theirs = await other.post('/v1/profiles', { email: 'shared@example.com' });
  expect(theirs).toMatchObject({ status: 201, body: { attributes: {} } });
  const path = `/v1/profiles/${mine.id}`;
  expect((await other.get(path)).status).toBe(404);
  expect((await other.patch(path, { phone: null })).status).toBe(404);
  expect((await other.delete(path)).status).toBe(404);
  expect((await other.get('/v1/profiles')).body.data).toHaveLength(1);
  const { body: list } = await other.post('/v1/lists', { name: 'Theirs' });
  const added = await other.post(`/v1/lists/${list.id}/members`, { profile_ids: [mine.id] });
  expect(added.body).toMatchObject({ added: 0, rejected: [{ pointer: '/profile_ids/0' }] });
  expect((await tenant.get(path)).body).toEqual(mine);
  const hashes = [tenant.tenantId, other.tenantId].map((id: TenantId) =>
    addressHash(addressKey, id, 'shared@example.com'),
  );
  expect(hashes[0]?.equals(hashes[1] as Buffer)).toBe(false);
});

test('a key without the scope is refused', async () => {
  const reader = await api.createKey(tenant.tenantId, ['profiles:read']);
  expect((await reader.get('/v1/profiles')).status).toBe(200);
  expect((await reader.post('/v1/profiles', { email: 'x@example.com' })).status).toBe(403);
  expect((await reader.get('/v1/lists')).status).toBe(403);
});
