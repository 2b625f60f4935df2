import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId, newId } from '../ids.ts';
import { partOf } from '../ledger/partitions.ts';
import type { TestApi } from '../testing/test-api.ts';
import { createShop, html, message, rowIdOf, type Shop, startCampaignApi } from './campaign-fixture.ts';

let api: TestApi;
let shop: Shop;
let other: Shop;
const anyVersion = { headers: { 'If-Match': '*' } };

beforeAll(async () => {
  api = await startCampaignApi();
  [shop, other] = [await createShop(api), await createShop(api)];
});
afterAll(() => api.stop());

test('a draft needs no more than a name', async () => {
  const reply = await shop.post('/v1/campaigns', { name: 'Sale' });
  expect(reply).toMatchObject({
    status: 201,
    body: {
      state: 'draft',
      paused: false,
      settling: false,
      audience: { included_lists: [], excluded_lists: [] },
      message: {},
      template_id: null,
      template_version: null,
      transport_id: null,
      class: 'campaign',
      in_doubt_policy: 'assume_delivered',
      deliver_within_seconds: 259_200,
      send_at: null,
      version: 1,
    },
  });
  expect(reply.headers.get('location')).toBe(`/v1/campaigns/${reply.body.id}`);
  const read = await shop.get(`/v1/campaigns/${reply.body.id}`);
  expect(read.body).toEqual(reply.body);
  expect(read.headers.get('etag')).toBe('"v1"');
});

test('what was given is kept, and its partition is the week of its creation', async () => {
  const fields = {
    name: 'Full',
    audience: { included_lists: [shop.listId], excluded_lists: [await shop.createList([])] },
    message: { ...message, reply_to: 'care@example.com', headers: { 'X-Season': 'bf' } },
    template_id: shop.templateId,
    template_version: 1,
    transport_id: shop.transportId,
    class: 'transactional',
    in_doubt_policy: 'resend',
    deliver_within_seconds: 600,
  };
  const { body } = await shop.post('/v1/campaigns', fields);
  expect(body).toMatchObject(fields);
  const row = await api.db.first<{ part: number; message: string }>(
    'SELECT part, message FROM campaigns WHERE id = ?',
    [await rowIdOf(api, body.id)],
  );
  expect(row?.part).toBe(partOf(Date.parse(body.created_at)));
  expect(JSON.parse(row?.message ?? '')).toEqual({
    fromEmail: 'shop@example.com',
    fromName: 'Shop',
    replyTo: 'care@example.com',
    headers: { 'X-Season': 'bf' },
  });
});

test('a change replaces the fields that are given and leaves the others', async () => {
  const id = await shop.createDraft();
  const path = `/v1/campaigns/${id}`;
  const changed = await shop.patch(
    path,
    { name: 'New', message: { from_email: 'b@example.com' } },
    anyVersion,
  );
  expect(changed.body).toMatchObject({ name: 'New', version: 2, template_id: shop.templateId });
  expect(changed.body.message).toEqual({ from_email: 'b@example.com' });
  expect(changed.headers.get('etag')).toBe('"v2"');
  const cleared = await shop.patch(path, { template_id: null, transport_id: null }, anyVersion);
  expect(cleared.body).toMatchObject({ template_id: null, transport_id: null, name: 'New' });
});

test('another template without a version means its latest', async () => {
  const id = await shop.createDraft({ template_version: 1 });
  const { body: template } = await shop.post('/v1/templates', { name: 'U', subject: 'x', html });
  const { body } = await shop.patch(`/v1/campaigns/${id}`, { template_id: template.id }, anyVersion);
  expect(body.template_version).toBeNull();
});

test('a change needs the ETag of what is there; of many at once one wins', async () => {
  const path = `/v1/campaigns/${await shop.createDraft()}`;
  const patch = (name: string, tag: string) => shop.patch(path, { name }, { headers: { 'If-Match': tag } });
  expect((await shop.patch(path, { name: 'x' })).status).toBe(428);
  expect((await patch('x', '"v2"')).status).toBe(412);
  const replies = await Promise.all(['a', 'b', 'c', 'd'].map((name) => patch(name, '"v1"')));
  expect(replies.map((reply) => reply.status).sort()).toEqual([200, 412, 412, 412]);
  expect((await shop.get(path)).body).toMatchObject({ version: 2 });
});

test('a scheduled campaign can be changed, stays complete, and keeps its time', async () => {
  const id = await shop.createDraft();
  const path = `/v1/campaigns/${id}`;
  const send_at = new Date(Date.now() + 3_600_000).toISOString();
  await shop.act(id, 'schedule', { send_at });
  const incomplete = await shop.patch(path, { transport_id: null, template_id: null }, anyVersion);
  expect(incomplete.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
    '/template_id',
    '/transport_id',
  ]);
  await shop.post(`/v1/templates/${shop.templateId}/versions`, { subject: 'Later', html });
  const kept = await shop.patch(path, { name: 'Later', deliver_within_seconds: 60 }, anyVersion);
  expect(kept.body).toMatchObject({ state: 'scheduled', template_version: 1, send_at });
  expect(Date.parse(kept.body.deadline_at) - Date.parse(send_at)).toBe(60_000);
  const latest = await shop.patch(path, { template_version: null }, anyVersion);
  expect(latest.body.template_version).toBe(2);
});

test('campaigns are listed newest first, in pages and by state', async () => {
  const own = await createShop(api);
  const ids = [];
  for (const state of ['draft', 'sent', 'draft', 'sent', 'draft']) ids.unshift(await own.createIn(state));
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await own.get(`/v1/campaigns?page_size=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.data.map((item: { id: string }) => item.id));
    cursor = body.next_cursor;
  } while (cursor);
  // Ids made in the same second are in no order.
  expect(seen).toEqual([...ids].sort().reverse());
  const sent = await own.get('/v1/campaigns?state=sent');
  expect(sent.body.data).toHaveLength(2);
  expect((await own.get('/v1/campaigns?state=gone')).status).toBe(400);
  expect((await own.get('/v1/campaigns?cursor=nonsense')).body.code).toBe('invalid_cursor');
});

test('a draft is deleted once', async () => {
  const path = `/v1/campaigns/${await shop.createDraft()}`;
  const statuses = await Promise.all([shop.delete(path), shop.delete(path)]);
  expect(statuses.map((reply) => reply.status).sort()).toEqual([204, 404]);
});

const unknownList = formatId('list', newId('list'));

test.each([
  ['an unknown list', { audience: { included_lists: [unknownList] } }, '/audience/included_lists/0'],
  ['an unknown excluded list', { audience: { excluded_lists: [unknownList] } }, '/audience/excluded_lists/0'],
  ['an unknown template', { template_id: formatId('template', newId('template')) }, '/template_id'],
  ['a version of no template', { template_version: 1 }, '/template_version'],
  ['an unknown transport', { transport_id: formatId('transport', newId('transport')) }, '/transport_id'],
  ['an id of another kind', { template_id: unknownList }, '/template_id'],
  ['a sender that is no address', { message: { from_email: 'Shop <a@b>' } }, '/message/from_email'],
  ['a sender that injects', { message: { from_email: 'a@b.com\r\nBcc: c@d.com' } }, '/message/from_email'],
  ['a name that injects', { message: { from_name: 'a\r\nBcc: c@d.com' } }, '/message/from_name'],
  ['a header that injects', { message: { headers: { 'X-A': 'a\r\nBcc: c@d.com' } } }, '/message/headers'],
  ['a header of ours', { message: { headers: { 'List-Unsubscribe': 'x' } } }, '/message/headers'],
  ['a field name with a colon', { message: { headers: { 'X-A: b\nX': 'x' } } }, '/message/headers'],
  [
    'a reply address that not all can use',
    { message: { reply_to: 'jürgen@example.com' } },
    '/message/reply_to',
  ],
  ['a deadline of a second', { deliver_within_seconds: 1 }, '/deliver_within_seconds'],
  ['an unknown policy', { in_doubt_policy: 'hope' }, '/in_doubt_policy'],
  ['an unknown field', { subject: 'x' }, '/subject'],
  ['a state', { state: 'sending' }, '/state'],
])('%s is refused, on creation and on change', async (_, fields, pointer) => {
  const problem = { status: 422, body: { code: 'invalid_request', errors: [{ pointer }] } };
  expect(await shop.post('/v1/campaigns', { name: 'x', ...fields })).toMatchObject(problem);
  const { body } = await shop.post('/v1/campaigns', { name: 'x' });
  expect(await shop.patch(`/v1/campaigns/${body.id}`, fields, anyVersion)).toMatchObject(problem);
});

test('another tenant’s lists, templates and transports are unknown', async () => {
  const foreign = { listId: other.listId, templateId: other.templateId, transportId: other.transportId };
  const reply = await shop.post('/v1/campaigns', {
    name: 'x',
    audience: { included_lists: [foreign.listId] },
    template_id: foreign.templateId,
    transport_id: foreign.transportId,
  });
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
    '/audience/included_lists/0',
    '/template_id',
    '/transport_id',
  ]);
});

test('another tenant finds no campaign on any route', async () => {
  const id = await shop.createDraft();
  const path = `/v1/campaigns/${id}`;
  const replies = await Promise.all([
    other.get(path),
    other.patch(path, { name: 'mine' }, anyVersion),
    other.delete(path),
    ...['schedule', 'test'].map((action) =>
      other.act(id, action, action === 'test' ? { to: ['a@example.com'] } : { send_at: 'now' }),
    ),
    ...['unschedule', 'pause', 'resume', 'cancel', 'estimate'].map((action) => other.act(id, action)),
    ...['progress', 'progress/stream', 'deliveries'].map((what) => other.get(`${path}/${what}`)),
  ]);
  expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => 404));
  expect((await other.get('/v1/campaigns?page_size=200')).body.data).toEqual([]);
  expect((await shop.get(path)).body).toMatchObject({ version: 1, state: 'draft' });
});

test.each([
  ['transactional', 3_600],
  ['flow', 86_400],
  ['campaign', 259_200],
])('a %s campaign that says nothing is to be delivered within %i seconds', async (deliveryClass, seconds) => {
  const { body } = await shop.get(`/v1/campaigns/${await shop.createDraft({ class: deliveryClass })}`);
  expect(body.deliver_within_seconds).toBe(seconds);
});

test('a limit a minute can be set, changed and taken away; the sending domain is kept beside the message', async () => {
  const id = await shop.createDraft({ max_per_minute: 600, message: { from_email: 'News@Example.com' } });
  const path = `/v1/campaigns/${id}`;
  expect((await shop.get(path)).body.max_per_minute).toBe(600);
  expect((await shop.patch(path, { name: 'Other' }, anyVersion)).body.max_per_minute).toBe(600);
  expect((await shop.patch(path, { max_per_minute: null }, anyVersion)).body.max_per_minute).toBeNull();
  expect((await shop.patch(path, { max_per_minute: 0 }, anyVersion)).status).toBe(422);
  const row = await api.db.first<{ sending_domain: string }>(
    'SELECT sending_domain FROM campaigns WHERE id = ?',
    [await rowIdOf(api, id)],
  );
  expect(row?.sending_domain).toBe('example.com');
});
