import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { runHere } from './template-jobs.ts';
import { templateRoutes } from './template-routes.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
const html = '<p>Hi {{ profile.first_name }}</p><a href="{{ unsubscribe_url }}">stop</a>';
const written = { name: 'Hello', subject: 'Hi {{ profile.first_name }}', html };

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) =>
      templateRoutes({ db, publicUrl: 'https://mail.example.com', runTemplateJob: runHere }),
  });
  [one, two] = [await api.createTenant(), await api.createTenant()];
});
afterAll(() => api.stop());

async function create(tenant = one, changes: object = {}) {
  const reply = await tenant.post('/v1/templates', { ...written, ...changes });
  expect(reply.status).toBe(201);
  return reply.body;
}

async function insertProfile(tenant: TestTenant, email: string, attributes: object) {
  const { insertId } = await api.db.write(
    'INSERT INTO profiles (tenant_id, email, email_hash, attributes, created_at, updated_at) VALUES (?, ?, ?, ?, NOW(3), NOW(3))',
    [tenant.tenantId, email, Buffer.alloc(16, email), JSON.stringify(attributes)],
  );
  return formatId('profile', insertId);
}

test('versions are added and never changed; the latest or any other is read', async () => {
  const { id, version, warnings } = await create();
  expect([version, warnings]).toEqual([1, []]);
  const second = await one.post(`/v1/templates/${id}/versions`, { subject: 'Second', html, text: 'plain' });
  expect(second).toMatchObject({ status: 201, body: { version: 2, latest_version: 2, text: 'plain' } });
  expect((await one.get(`/v1/templates/${id}`)).body).toMatchObject({ version: 2, subject: 'Second' });
  expect((await one.get(`/v1/templates/${id}?version=1`)).body).toMatchObject({
    version: 1,
    latest_version: 2,
    subject: written.subject,
    html,
  });
  expect((await one.get(`/v1/templates/${id}?version=3`)).status).toBe(404);
  expect((await one.get(`/v1/templates/${id}?version=0`)).status).toBe(400);
});

test('versions that are written at once get one number each', async () => {
  const { id } = await create();
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, i) => one.post(`/v1/templates/${id}/versions`, { subject: `s${i}`, html })),
  );
  expect(replies.map((reply) => reply.body.version).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  const first = await one.get(`/v1/templates/${id}/versions?page_size=5`);
  const rest = await one.get(`/v1/templates/${id}/versions?page_size=5&cursor=${first.body.next_cursor}`);
  const numbers = [...first.body.data, ...rest.body.data].map((item: { version: number }) => item.version);
  expect(numbers).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(rest.body.next_cursor).toBeNull();
});

test('templates are listed in pages', async () => {
  const tenant = await api.createTenant();
  for (const name of ['a', 'b', 'c']) await create(tenant, { name });
  const first = await tenant.get('/v1/templates?page_size=2');
  const rest = await tenant.get(`/v1/templates?page_size=2&cursor=${first.body.next_cursor}`);
  const names = [...first.body.data, ...rest.body.data].map((item: { name: string }) => item.name);
  expect(names.sort()).toEqual(['a', 'b', 'c']);
});

test('an invalid template is stored nowhere and told by place', async () => {
  const body = { ...written, name: 'Broken', html: 'line one\n  {% if %}' };
  const reply = await one.post('/v1/templates', body);
  expect(reply).toMatchObject({
    status: 422,
    body: { code: 'invalid_template', errors: [{ pointer: '/html', line: 2, column: 8 }] },
  });
  const { data } = (await one.get('/v1/templates?page_size=200')).body;
  expect(data.map((item: { name: string }) => item.name)).not.toContain('Broken');
  const { name: _, ...source } = body;
  expect((await one.post('/v1/templates/validate', source)).body.code).toBe('invalid_template');
});

test('validating stores nothing and answers the HTML', async () => {
  const { name: _, ...source } = written;
  const reply = await one.post('/v1/templates/validate', { ...source, html: '<p>Hi</p>' });
  expect(reply).toMatchObject({
    status: 200,
    body: { html: '<p>Hi</p>', warnings: [{ code: 'no_unsubscribe_link' }] },
  });
});

test.each([
  ['neither mjml nor html', { html: undefined }, ''],
  ['both', { mjml: '<mjml></mjml>' }, ''],
  ['no subject', { subject: undefined }, '/subject'],
  ['a name of two lines', { name: 'a\nb' }, '/name'],
  ['an unknown field', { body: 'x' }, '/body'],
  ['an HTML of 600 KB', { html: 'x'.repeat(600 * 1024) }, '/html'],
])('a template with %s is refused', async (_, changes, pointer) => {
  const reply = await one.post('/v1/templates', { ...written, ...changes });
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ pointer }] } });
});

test('a preview shows a profile’s message, or that of a sample', async () => {
  const { id } = await create(one, { preheader: 'For {{ profile.email }}' });
  const profile_id = await insertProfile(one, 'ada@example.org', { first_name: 'Ada <3' });
  const path = `/v1/templates/${id}/preview`;
  const { body } = await one.post(path, { profile_id });
  expect(body).toMatchObject({ subject: 'Hi Ada <3', preheader: 'For ada@example.org', warnings: [] });
  expect(body.html).toContain('Hi Ada &lt;3');
  expect(body.html).toContain('https://mail.example.com/u/preview');
  expect(body.text).toContain('Hi Ada <3');
  const sample = await one.post(path, { sample: { first_name: 'Bob', email: 'bob@example.org' } });
  expect(sample.body).toMatchObject({ subject: 'Hi Bob', preheader: 'For bob@example.org' });
  await one.post(`/v1/templates/${id}/versions`, { subject: 'Other', html });
  expect((await one.post(path, { sample: {}, version: 1 })).body.subject).toBe('Hi');
  expect((await one.post(path, { sample: {} })).body.subject).toBe('Other');
  expect((await one.post(path, { sample: {}, version: 9 })).status).toBe(404);
});

test('a preview that fails for its recipient says why; one without a recipient is refused', async () => {
  const loop = '{% for a in (1..100000) %}{% for b in (1..100000) %}x{% endfor %}{% endfor %}';
  const { id } = await create(one, { html: loop });
  const path = `/v1/templates/${id}/preview`;
  expect(await one.post(path, { sample: {} })).toMatchObject({
    status: 422,
    body: { code: 'invalid_template', detail: expect.stringMatching(/render_limit|too_large/) },
  });
  expect((await one.post(path, { sample: {}, profile_id: formatId('profile', 1) })).status).toBe(422);
  expect((await one.post(path, {})).status).toBe(422);
  const unknown = await one.post(path, { profile_id: formatId('profile', 999_999) });
  expect(unknown).toMatchObject({ status: 422, body: { errors: [{ pointer: '/profile_id' }] } });
});

test.each(['a\0b', 'half \ud800 a pair'])(
  '%j is no source: it would not come back as it went in',
  async (text) => {
    for (const field of ['subject', 'html', 'text']) {
      const reply = await one.post('/v1/templates', { ...written, [field]: text });
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: `/${field}` }] } });
    }
  },
);

test('another tenant finds nothing, and its profiles are nobody else’s', async () => {
  const { id } = await create(one);
  const path = `/v1/templates/${id}`;
  expect((await two.get(path)).status).toBe(404);
  expect((await two.get(`${path}/versions`)).status).toBe(404);
  expect((await two.post(`${path}/versions`, { subject: 'x', html })).status).toBe(404);
  expect((await two.post(`${path}/preview`, { sample: {} })).status).toBe(404);
  expect((await two.get('/v1/templates')).body.data).toEqual([]);
  const profile_id = await insertProfile(two, 'eve@example.org', {});
  expect((await one.post(`${path}/preview`, { profile_id })).status).toBe(422);
  expect((await one.get(path)).body.latest_version).toBe(1);
});
