/**
 * Every call of the API, made by a tenant with the ids of another tenant's things: it finds nothing, shows nothing and
 * changes nothing. A new route is driven by itself; one that takes a body needs a line in `bodies`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Route } from '../http/route.ts';
import { formatId, parseId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import { pauseSender } from '../senders/sender-pauses.ts';
import { runHere } from '../templates/template-jobs.ts';
import { apiRoutes } from '../wiring-api.ts';
import { startTestApi, type TestApi, type TestTenant } from './test-api.ts';
import { silentLog } from './test-database.ts';

const marker = 'belongs-to-the-owner';
const email = `${marker}@example.com`;
const html = `<p>${marker} {{ profile.first_name }}</p>`;

let api: TestApi;
let routes: readonly Route[];
let owner: TestTenant;
let stranger: TestTenant;
/** The owner's ids, by the name of the path parameter. */
let ids: Record<string, string>;
/** The stranger's own: what would be valid around a foreign id. */
let own: Record<string, string>;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db, redis, config, clock }) => {
      const platform = { db, redis, config, clock, keys: deriveKeys(config.SECRET_KEY), log: silentLog };
      routes = apiRoutes(platform, runHere);
      return routes;
    },
  });
  [owner, stranger] = [await api.createTenant({ name: marker }), await api.createTenant()];
  [ids, own] = [await furnish(owner, marker), await furnish(stranger, 'own')];
});
afterAll(() => api.stop());

async function furnish(tenant: TestTenant, name: string): Promise<Record<string, string>> {
  const create = async (path: string, body: object): Promise<string> => {
    const reply = await tenant.post(path, body);
    expect([path, reply.status]).toEqual([path, 201]);
    return reply.body.id;
  };
  const settings = { host: '127.0.0.1', port: 1, tls: 'none' };
  const profile_id = await create('/v1/profiles', { email: `${name}@example.com`, attributes: { name } });
  const list_id = await create('/v1/lists', { name });
  const template_id = await create('/v1/templates', { name, subject: name, html });
  const transport_id = await create('/v1/transports', { name, settings });
  const campaign_id = await create('/v1/campaigns', {
    ...{ name, template_id, transport_id, audience: { included_lists: [list_id] } },
    message: { from_email: `${name}@example.com` },
  });
  const api_key_id = await create('/v1/api-keys', { name, scopes: ['lists:read'] });
  await tenant.post(`/v1/lists/${list_id}/members`, { profile_ids: [profile_id] });
  await tenant.post('/v1/suppressions', { email: `${name}@example.com` });
  const upload = { raw: `email\n${name}@example.com\n`, headers: { 'Content-Type': 'text/csv' } };
  const upload_reply = await tenant.post('/v1/imports?format=csv', undefined, upload);
  const delivery_id = await insertDelivery(tenant);
  const destination_id = await insertLane(tenant, transport_id);
  const domain = `d${tenant.tenantId}.example.com`;
  await insertPause(tenant, destination_id, { domain, text: name });
  const match = { text: name };
  const sending_domain_id = await create('/v1/sending-domains', { domain });
  const rule_id = await create('/v1/reply-rules', { name, match, class: 'transient' });
  return {
    ...{
      profile_id,
      list_id,
      template_id,
      transport_id,
      campaign_id,
      api_key_id,
      delivery_id,
      destination_id,
      domain,
      rule_id,
      sending_domain_id,
    },
    import_id: upload_reply.body.id,
  };
}

async function insertPause(
  { tenantId }: TestTenant,
  destination: string,
  { domain, text }: { readonly domain: string; readonly text: string },
): Promise<void> {
  const destinationId = parseId('destination', destination) as number;
  const reply = { code: 550, text };
  await pauseSender(api.db, { tenantId, destinationId, domain, durationMs: 3_600_000, reply });
}

async function insertDelivery({ tenantId }: TestTenant): Promise<string> {
  const { db } = api;
  const campaign = await db.first<{ id: never; part: number }>(
    'SELECT id, part FROM campaigns WHERE tenant_id = ?',
    [tenantId],
  );
  if (!campaign) throw new Error('no campaign');
  const { id: campaignId, part } = campaign;
  await db.write(
    `INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash, state)
     VALUES (?, ?, 0, 0, ?, 1, ?, 0)`,
    [tenantId, campaignId, part, Buffer.alloc(16)],
  );
  return formatDeliveryId({ tenantId, campaignId, part, chunkNo: 0, seq: 0 });
}

async function insertLane({ tenantId }: TestTenant, transportId: string): Promise<string> {
  const { db } = api;
  const { insertId } = await db.write("INSERT INTO destinations (transport_id, name) VALUES (?, 'all')", [
    parseId('transport', transportId),
  ]);
  await db.write(
    'INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES (?, ?, 2, NOW(3))',
    [tenantId, insertId],
  );
  return formatId('destination', insertId);
}

/** What each call takes, valid but for whose things it names. */
const bodies: Readonly<Record<string, () => unknown>> = {
  createApiKey: () => ({ name: 'k', scopes: ['lists:read'] }),
  upsertProfile: () => ({ email: 'new@example.com' }),
  updateProfile: () => ({ attributes: { name: 'changed' } }),
  createList: () => ({ name: 'new' }),
  renameList: () => ({ name: 'changed' }),
  addMembers: () => ({ profile_ids: [own.profile_id] }),
  removeMembers: () => ({ profile_ids: [own.profile_id] }),
  suppress: () => ({ email: 'sup@example.com' }),
  createTemplate: () => ({ name: 't', subject: 's', html: '<p></p>' }),
  validateTemplate: () => ({ subject: 's', html: '<p></p>' }),
  addTemplateVersion: () => ({ subject: 's', html: '<p></p>' }),
  previewTemplate: () => ({ sample: {} }),
  createTransport: () => ({ name: 't', settings: { host: '127.0.0.1', port: 1, tls: 'none' } }),
  updateTransport: () => ({ name: 'changed' }),
  createReplyRule: () => ({ name: 'r', match: { text: 'no' }, class: 'message' }),
  updateReplyRule: () => ({ name: 'changed' }),
  testReplyRules: () => ({ reply: '550 5.1.1 Unknown' }),
  createSendingDomain: () => ({ domain: 'own.example.com', algorithm: 'ed25519-sha256' }),
  rotateSendingDomain: () => ({}),
  createCampaign: () => ({ name: 'c' }),
  updateCampaign: () => ({ name: 'changed' }),
  scheduleCampaign: () => ({ send_at: 'now' }),
  sendTestMessage: () => ({ to: ['me@example.com'] }),
  upsertProfiles: () => ({ profiles: [{ email: 'bulk@example.com' }] }),
};

const tenantRoutes = () => routes.filter(({ access }) => access !== 'admin' && access !== 'public');
const pathOf = (route: Route, from: Record<string, string>) =>
  route.path.replace(/\{(\w+)\}/g, (_, name: string) => from[name] ?? `no id for ${name}`);

function call(route: Route, path: string, tenant = stranger) {
  const body = route.body && bodies[route.operationId]?.();
  if (route.body && body === undefined) throw new Error(`${route.operationId} needs a line in bodies`);
  const headers = { 'If-Match': '*', ...(route.rawBody && { 'Content-Type': 'text/csv' }) };
  const raw = route.rawBody && { raw: 'email\nimported@example.com\n' };
  return tenant.request(route.method.toUpperCase(), path, { headers, ...(body ? { body } : {}), ...raw });
}

/** All that the owner has, row by row. */
async function readOwned(): Promise<unknown> {
  const tables = await api.db.rows<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'tenant_id' ORDER BY 1`,
  );
  const owned: Record<string, string[]> = {};
  for (const { name } of tables) {
    if (name === 'idempotency_keys') continue;
    const rows = await api.db.rows(`SELECT * FROM ${name} WHERE tenant_id = ?`, [owner.tenantId]);
    // The last use of a key is written whenever its time has come.
    owned[name] = rows.map((row) => JSON.stringify({ ...(row as object), last_used_at: null })).sort();
  }
  return owned;
}

test('every call that names a thing of another tenant is a 404, and changes nothing of it', async () => {
  const before = await readOwned();
  const answers: string[] = [];
  for (const route of tenantRoutes().filter(({ path }) => path.includes('{'))) {
    const reply = await call(route, pathOf(route, ids));
    expect(reply.text, route.operationId).not.toContain(marker);
    answers.push(`${route.operationId} ${reply.status}`);
  }
  expect(answers.filter((answer) => !answer.endsWith(' 404'))).toEqual([]);
  expect(answers.length).toBeGreaterThan(30);
  expect(await readOwned()).toEqual(before);
});

test('the same calls find the owner’s things for the owner, so that the 404s above prove something', async () => {
  for (const route of tenantRoutes().filter(({ path, method }) => path.includes('{') && method === 'get')) {
    // The stream does not end by itself.
    if (route.path.endsWith('/stream')) continue;
    const reply = await call(route, pathOf(route, ids), owner);
    expect([route.operationId, reply.status]).toEqual([route.operationId, 200]);
  }
});

test('no listing and no other call without a name shows anything of another tenant', async () => {
  const before = await readOwned();
  for (const route of tenantRoutes().filter(({ path }) => !path.includes('{'))) {
    const query = route.path === '/v1/suppressions' ? `?email=${email}` : '';
    const path = route.rawBody ? `${route.path}?format=csv` : route.path;
    for (const place of route.method === 'post' ? [path] : [path, path + query]) {
      const reply = await call(route, place);
      expect(reply.text.replaceAll(email, ''), route.operationId).not.toContain(marker);
      for (const id of Object.values(ids)) expect(reply.text, route.operationId).not.toContain(id);
    }
  }
  expect(await readOwned()).toEqual(before);
});

test('a cursor of another tenant’s listing shows only one’s own', async () => {
  await owner.post('/v1/lists', { name: `${marker} 2` });
  const { body } = await owner.get('/v1/lists?page_size=1');
  const reply = await stranger.get(`/v1/lists?cursor=${body.next_cursor}`);
  expect(reply.status).toBe(200);
  expect(reply.text).not.toContain(marker);
});

test('another tenant’s ids inside bodies and queries are refused like ids of nothing', async () => {
  const before = await readOwned();
  const [list, profile] = [ids.list_id, ids.profile_id];
  const refused = [
    await stranger.post('/v1/campaigns', { name: 'c', audience: { included_lists: [list] } }),
    await stranger.post('/v1/campaigns', { name: 'c', audience: { excluded_lists: [list] } }),
    await stranger.post('/v1/campaigns', { name: 'c', template_id: ids.template_id }),
    await stranger.post('/v1/campaigns', { name: 'c', transport_id: ids.transport_id }),
    await stranger.patch(
      `/v1/campaigns/${own.campaign_id}`,
      { template_id: ids.template_id },
      { headers: { 'If-Match': '*' } },
    ),
    await stranger.post(`/v1/templates/${own.template_id}/preview`, { profile_id: profile }),
    await stranger.post(`/v1/campaigns/${own.campaign_id}/test`, {
      to: ['a@example.com'],
      profile_id: profile,
    }),
    await stranger.post('/v1/suppressions', { email: 'a@example.com', scope: list }),
    await stranger.post(`/v1/imports?format=csv&list_id=${list}`, undefined, {
      raw: 'email\na@example.com\n',
      headers: { 'Content-Type': 'text/csv' },
    }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 422, 422, 422, 400]);
  for (const { text } of refused) expect(text).not.toContain(marker);

  const members = await stranger.post(`/v1/lists/${own.list_id}/members`, { profile_ids: [profile] });
  expect(members.body).toMatchObject({ added: 0, rejected: [{ pointer: '/profile_ids/0' }] });
  const filtered = await stranger.get(`/v1/profiles?list_id=${list}`);
  expect(filtered.text).not.toContain(marker);
  expect(await readOwned()).toEqual(before);
});

test('tenants’ keys open none of the admin’s calls, the admin token none of the tenants’, and no token none', async () => {
  const answers = { foreign: new Set<number>(), anonymous: new Set<number>() };
  for (const route of routes.filter(({ access }) => access !== 'public')) {
    const client = route.access === 'admin' ? stranger : api.admin;
    const path = pathOf(route, { ...ids, tenant_id: 'ten_05dwq4r1csh' });
    const method = route.method.toUpperCase();
    answers.foreign.add((await client.request(method, path)).status);
    answers.anonymous.add((await api.anonymous.request(method, path)).status);
  }
  expect([...answers.foreign]).toEqual([403]);
  expect([...answers.anonymous]).toEqual([401]);
});

test('an Idempotency-Key of one tenant is nothing to another', async () => {
  const headers = { 'Idempotency-Key': 'the-same-key' };
  const first = await owner.post('/v1/lists', { name: marker }, { headers });
  const second = await stranger.post('/v1/lists', { name: marker }, { headers });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body.id).not.toBe(first.body.id);
});
