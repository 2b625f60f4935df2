import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ListId, parseId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { listMemberRoutes } from './list-member-routes.ts';
import { listRoutes } from './list-routes.ts';
import { sweepDeletedLists } from './list-sweeper.ts';
import { profileBulkRoutes } from './profile-bulk-routes.ts';
import { suppressionRoutes } from './suppression-routes.ts';

let api: TestApi;
let tenant: TestTenant;
const addressKey = Buffer.alloc(32, 7);
const never = new AbortController().signal;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => [
      ...listRoutes({ db }),
      ...listMemberRoutes({ db, addressKey }),
      ...profileBulkRoutes({ db, addressKey }),
      ...suppressionRoutes({ db, addressKey }),
    ],
  });
  tenant = await api.createTenant();
});
afterAll(() => api.stop());

async function createPeople(count: number, prefix: string): Promise<string[]> {
  const emails = Array.from({ length: count }, (_, i) => `${prefix}${i}@example.com`);
  await tenant.post('/v1/profiles/bulk', { profiles: emails.map((email) => ({ email })) });
  return emails;
}

test('a list is made, read, renamed, listed and deleted', async () => {
  const created = await tenant.post('/v1/lists', { name: ' News ' });
  expect(created).toMatchObject({ status: 201, body: { name: 'News' } });
  const path = created.headers.get('location') ?? '';
  expect((await tenant.get(path)).body).toEqual(created.body);
  expect((await tenant.patch(path, { name: 'Old news' })).body).toMatchObject({ name: 'Old news' });
  await tenant.post('/v1/lists', { name: 'More' });
  const page = await tenant.get('/v1/lists?page_size=1');
  expect(page.body.data).toHaveLength(1);
  const next = await tenant.get(`/v1/lists?page_size=1&cursor=${page.body.next_cursor}`);
  expect(next.body.data[0].id).not.toBe(page.body.data[0].id);
  expect((await tenant.delete(path)).status).toBe(204);
  for (const method of ['GET', 'DELETE']) expect((await tenant.request(method, path)).status).toBe(404);
  expect((await tenant.patch(path, { name: 'x' })).status).toBe(404);
  expect((await tenant.post(`${path}/members`, { emails: ['a@example.com'] })).status).toBe(404);
});

test.each([
  [{}],
  [{ name: '' }],
  [{ name: 'x'.repeat(201) }],
  [{ name: 'a\nb' }],
  [{ name: 1 }],
  [{ name: 'x', y: 1 }],
])('bad list %# is refused', async (body) => {
  expect((await tenant.post('/v1/lists', body)).status).toBe(422);
});

test('members join by id or address, once, and leave again', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Members' });
  const path = `/v1/lists/${list.id}/members`;
  const emails = await createPeople(999, 'm');
  const joined = await tenant.post(path, { emails: [...emails, 'nobody@example.com'] });
  expect(joined.body).toEqual({
    added: 999,
    already_members: 0,
    rejected: [{ pointer: '/emails/999', detail: 'is not the address of a profile' }],
  });
  const page = (await tenant.get(`${path}?page_size=2`)).body;
  const ids = page.data.map((member: { profile_id: string }) => member.profile_id);
  const again = await tenant.post(path, {
    profile_ids: [...ids, 'prf_0zzzzzzzzzz'],
    emails: ['M0@example.com', 'bad'],
  });
  expect(again.body).toMatchObject({
    added: 0,
    already_members: 3,
    rejected: [{ pointer: '/profile_ids/2' }, { pointer: '/emails/1', detail: 'has no domain' }],
  });
  const removed = await tenant.post(`${path}/remove`, { profile_ids: ids });
  expect(removed.body).toEqual({ removed: 2, rejected: [] });
  expect((await tenant.post(`${path}/remove`, { profile_ids: ids })).body).toMatchObject({ removed: 0 });
  const rest = await tenant.get(`${path}?page_size=200&cursor=${page.next_cursor}`);
  expect(rest.body.data).toHaveLength(200);
});

test.each([
  [{}],
  [{ emails: [] }],
  [{ profile_ids: ['x'] }],
  [{ emails: Array(1001).fill('a@example.com') }],
])('bad members %# are refused', async (body) => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Bad' });
  expect((await tenant.post(`/v1/lists/${list.id}/members`, body)).status).toBe(422);
});

test("a deleted list's members are swept in slices, those of other lists stay", async () => {
  const lists = [];
  const emails = await createPeople(900, 's');
  for (const name of ['Goes', 'Stays']) {
    const { body: list } = await tenant.post('/v1/lists', { name });
    await tenant.post(`/v1/lists/${list.id}/members`, { emails });
    lists.push(list.id);
  }
  await tenant.delete(`/v1/lists/${lists[0]}`);
  expect(await sweepDeletedLists(api.db, never)).toBe(1);
  expect(await sweepDeletedLists(api.db, never)).toBe(0);
  const count = async (id: string) =>
    (await api.db.rows('SELECT 1 FROM list_members WHERE list_id = ?', [parseId('list', id) as ListId]))
      .length;
  expect([await count(lists[0]), await count(lists[1])]).toEqual([0, 900]);
});

test.each(['includedLists', 'excludedLists'])(
  'a list that a coming campaign has among its %s is not deleted',
  async (use) => {
    const { body: list } = await tenant.post('/v1/lists', { name: 'Needed' });
    const audience = { includedLists: [], excludedLists: [], [use]: [parseId('list', list.id)] };
    await api.db.write(
      `INSERT INTO campaigns (tenant_id, id, part, name, class, state, audience, message, in_doubt_policy, deliver_within_s, created_at, updated_at)
     VALUES (?, ?, 202647, 'Coming', 2, 'scheduled', ?, '{}', 'resend', 60, NOW(3), NOW(3))`,
      [tenant.tenantId, parseId('list', list.id), JSON.stringify(audience)],
    );
    const path = `/v1/lists/${list.id}`;
    expect(await tenant.delete(path)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await api.db.write("UPDATE campaigns SET state = 'sent' WHERE id = ?", [parseId('list', list.id)]);
    expect((await tenant.delete(path)).status).toBe(204);
  },
);

test('a tenant has no use of the lists of another', async () => {
  const other = await api.createTenant();
  const { body: list } = await tenant.post('/v1/lists', { name: 'Mine' });
  const path = `/v1/lists/${list.id}`;
  expect((await other.get(path)).status).toBe(404);
  expect((await other.patch(path, { name: 'x' })).status).toBe(404);
  expect((await other.delete(path)).status).toBe(404);
  expect((await other.get(`${path}/members`)).status).toBe(404);
  expect((await other.post(`${path}/members/remove`, { emails: ['m0@example.com'] })).status).toBe(404);
  const suppressed = await other.post('/v1/suppressions', { email: 'a@example.com', scope: list.id });
  expect(suppressed).toMatchObject({ status: 422, body: { errors: [{ pointer: '/scope' }] } });
  expect((await other.get('/v1/lists')).body.data).toEqual([]);
});
