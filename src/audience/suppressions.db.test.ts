import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId, type ProfileId, parseId } from '../ids.ts';
import { type SigningKey, signUnsubscribe, type UnsubscribeTarget } from '../render/tokens.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { addressHash } from './address.ts';
import { listRoutes } from './list-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { suppressionRoutes } from './suppression-routes.ts';
import { type SuppressionReason, suppressAddresses } from './suppression-store.ts';
import { unsubscribeRoutes } from './unsubscribe-routes.ts';

let api: TestApi;
let tenant: TestTenant;
const addressKey = Buffer.alloc(32, 7);
const signingKey: SigningKey = { id: 3, secret: Buffer.alloc(32, 9) };

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => [
      ...profileRoutes({ db, addressKey }),
      ...listRoutes({ db }),
      ...suppressionRoutes({ db, addressKey }),
      ...unsubscribeRoutes({ db, signingKeys: [signingKey] }),
    ],
  });
  tenant = await api.createTenant({ name: 'Tom & <b>"Jerry"</b>' });
});
afterAll(() => api.stop());

const check = async (email: string) => (await tenant.get(`/v1/suppressions?email=${email}`)).body.data;
const suppressAs = (email: string, reason: SuppressionReason) =>
  suppressAddresses(api.db, tenant.tenantId, [
    { addressHash: addressHash(addressKey, tenant.tenantId, email), scope: '*', reason, source: 'test' },
  ]);

test('addresses are suppressed, checked, listed and lifted', async () => {
  await tenant.post('/v1/profiles', { email: 'known@example.com' });
  const reply = await tenant.post('/v1/suppressions', {
    emails: ['Known@example.com', 'unknown@example.com', 'x'],
  });
  expect(reply.body).toEqual({
    suppressed: 2,
    rejected: [{ pointer: '/emails/2', detail: 'has no domain' }],
  });
  expect(await check('known@example.com')).toMatchObject([
    { email: 'known@example.com', scope: '*', reason: 'user_suppressed', source: 'api' },
  ]);
  const { body: first } = await tenant.get('/v1/suppressions?page_size=1');
  const { body: second } = await tenant.get(`/v1/suppressions?page_size=1&cursor=${first.next_cursor}`);
  expect(second.next_cursor).toBeNull();
  const emails = [...first.data, ...second.data].map(({ email }: { email: string | null }) => email);
  expect(new Set(emails)).toEqual(new Set(['known@example.com', null]));
  for (let i = 0; i < 2; i++) {
    expect((await tenant.delete('/v1/suppressions?email=KNOWN@example.com')).status).toBe(204);
  }
  expect(await check('known@example.com')).toEqual([]);
});

test('a list is a scope of its own', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'L' });
  await tenant.post('/v1/suppressions', { email: 'scoped@example.com', scope: list.id });
  await tenant.post('/v1/suppressions', { email: 'scoped@example.com' });
  expect((await check('scoped@example.com')).map((row: { scope: string }) => row.scope)).toEqual([
    '*',
    list.id,
  ]);
  await tenant.delete(`/v1/suppressions?email=scoped@example.com&scope=${list.id}`);
  expect((await check('scoped@example.com')).map((row: { scope: string }) => row.scope)).toEqual(['*']);
});

test('a stronger reason replaces a weaker one, never the other way, and only the weakest is lifted', async () => {
  const email = 'strong@example.com';
  const order: SuppressionReason[] = [
    'user_suppressed',
    'unsubscribe',
    'invalid_email',
    'hard_bounce',
    'complaint',
    'erased',
  ];
  for (const [index, reason] of order.entries()) {
    await suppressAs(email, reason);
    for (const weaker of order.slice(0, index)) await suppressAs(email, weaker);
    expect(await check(email)).toMatchObject([{ reason, source: 'test' }]);
    if (index === 0) continue;
    const lifted = await tenant.delete(`/v1/suppressions?email=${email}`);
    expect(lifted).toMatchObject({ status: 409, body: { code: 'conflict' } });
  }
});

test.each([
  [{}],
  [{ emails: [] }],
  [{ email: 'a@example.com', emails: ['a@example.com'] }],
  [{ email: 'nobody' }],
  [{ email: 'a@example.com', reason: 'erased' }],
  [{ email: 'a@example.com', scope: 'everything' }],
  [{ emails: Array(1001).fill('a@example.com') }],
])('bad suppression %# is refused', async (body) => {
  expect((await tenant.post('/v1/suppressions', body)).status).toBe(422);
});

test('one tenant does not suppress for another', async () => {
  const other = await api.createTenant();
  await other.post('/v1/suppressions', { email: 'both@example.com' });
  expect(await check('both@example.com')).toEqual([]);
  await tenant.post('/v1/suppressions', { email: 'both@example.com' });
  await tenant.delete('/v1/suppressions?email=both@example.com');
  expect((await other.get('/v1/suppressions?email=both@example.com')).body.data).toHaveLength(1);
});

async function linkFor(email: string, list: UnsubscribeTarget['list'] = '*') {
  const { body } = await tenant.post('/v1/profiles', { email });
  const profileId = parseId('profile', body.id) as ProfileId;
  return {
    id: body.id,
    path: `/u/${signUnsubscribe(signingKey, { tenantId: tenant.tenantId, profileId, list })}`,
  };
}

test('opening the link changes nothing, and its page needs nothing from anywhere', async () => {
  const { path } = await linkFor('reader@example.com');
  const page = await api.anonymous.get(path);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('<form method="post">');
  expect(page.text).toContain('Tom &#38; &#60;b&#62;&#34;Jerry&#34;');
  expect(page.text).not.toMatch(/reader@|src=|href=|<script|<b>/);
  expect(await check('reader@example.com')).toEqual([]);
});

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const oneClick = 'List-Unsubscribe=One-Click';
const multipart = `--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n`;

test.each([
  ['urlencoded', oneClick, form],
  ['multipart', multipart, { 'Content-Type': 'multipart/form-data; boundary=x' }],
  ['without a content type', new TextEncoder().encode(oneClick), {}],
])('one click %s unsubscribes, at once and once more', async (name, raw, headers) => {
  const email = `${name.replaceAll(' ', '-')}@example.com`;
  const { path } = await linkFor(email);
  for (let i = 0; i < 2; i++) {
    const reply = await api.anonymous.request('POST', path, { raw, headers });
    expect(reply.status).toBe(200);
  }
  expect(await check(email)).toMatchObject([
    { scope: '*', reason: 'unsubscribe', source: 'unsubscribe_link' },
  ]);
});

test('a link of a list ends that list only', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Weekly' });
  const { path } = await linkFor('weekly@example.com', parseId('list', list.id) ?? '*');
  expect((await api.anonymous.get(path)).text).toContain('Weekly');
  const done = await api.anonymous.request('POST', path, { raw: oneClick, headers: form });
  expect(done.text).toContain('You will not get &#34;Weekly&#34; from Tom');
  expect(done.text).toContain('If you are on other lists, you will still get what is sent to those');
  expect(await check('weekly@example.com')).toMatchObject([{ scope: list.id }]);
});

test('a link of a list that is gone ends everything, as its page says', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Gone' });
  const { path } = await linkFor('gone@example.com', parseId('list', list.id) ?? '*');
  await tenant.delete(`/v1/lists/${list.id}`);
  const done = await api.anonymous.request('POST', path, { raw: oneClick, headers: form });
  expect(done.text).toContain('You will not get messages from Tom');
  expect(done.text).not.toContain('other lists');
  expect(await check('gone@example.com')).toMatchObject([{ scope: '*', reason: 'unsubscribe' }]);
});

test('somebody erased gets the same answer', async () => {
  const { path, id } = await linkFor('leaver@example.com');
  await tenant.delete(`/v1/profiles/${id}`);
  expect((await api.anonymous.request('POST', path, { raw: oneClick, headers: form })).status).toBe(200);
  expect(await check('leaver@example.com')).toMatchObject([{ reason: 'erased' }]);
});

test('a link that we did not sign is not found and says nothing else', async () => {
  const target = { tenantId: tenant.tenantId, profileId: 1 as ProfileId, list: '*' } as const;
  const forged = signUnsubscribe({ id: 3, secret: Buffer.alloc(32, 1) }, target);
  const unknownKey = signUnsubscribe({ id: 4, secret: signingKey.secret }, target);
  const texts = new Set<string>();
  for (const token of [forged, unknownKey, 'x', '..%2F', '%3Cscript%3E', formatId('profile', 1)]) {
    for (const method of ['GET', 'POST']) {
      const reply = await api.anonymous.request(method, `/u/${token}`);
      expect(reply.status).toBe(404);
      texts.add(reply.text);
    }
  }
  expect(texts.size).toBe(1);
});
