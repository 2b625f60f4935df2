import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId, newId } from '../ids.ts';
import { createSmtpSink, type SmtpSink } from '../testing/smtp-sink/sink.ts';
import { startTestApi, type TestApi, type TestClient, type TestTenant } from '../testing/test-api.ts';
import { hostPolicy } from '../transports/host-policy.ts';
import { platformTransportRoutes } from './platform-transport-routes.ts';
import { transportRoutes } from './transport-routes.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
let sink: SmtpSink;
const secretsKey = randomBytes(32);
const settings = { host: 'smtp.example.com', port: 587, tls: 'starttls' } as const;
const withAuth = { ...settings, auth: { username: 'shop' } };
const secret = { password: 'correct horse battery' };

beforeAll(async () => {
  sink = createSmtpSink({});
  api = await startTestApi({
    routes: ({ db }) => {
      const options = { db, secretsKey, hostPolicy: hostPolicy({ allowPrivate: true }) };
      return [...transportRoutes(options), ...platformTransportRoutes(options)];
    },
  });
  [one, two] = [await api.createTenant(), await api.createTenant()];
  await sink.start();
});
afterAll(async () => {
  await api.stop();
  await sink.stop();
});

async function create(client: TestClient, changes: object = {}, path = '/v1/transports') {
  const reply = await client.post(path, { name: 'Relay', settings, ...changes });
  expect(reply.status).toBe(201);
  return reply.body;
}

async function insertCampaign(tenant: TestTenant, transportId: string, state: string) {
  const id = newId('campaign');
  await api.db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, transport_id, audience, message, in_doubt_policy,
       deliver_within_s, created_at, updated_at)
     SELECT ?, ?, 202601, 'x', 2, ?, id, '{}', '{}', 'resend', 60, NOW(3), NOW(3) FROM transports WHERE id = ?`,
    [tenant.tenantId, id, state, await idOf(transportId)],
  );
}

async function idOf(text: string): Promise<number> {
  const rows = await api.db.rows<{ id: number }>('SELECT id FROM transports');
  return rows.find((row) => formatId('transport', row.id) === text)?.id as number;
}

test('a transport is created with its defaults, read back and listed', async () => {
  const created = await create(one, { limits: { max_connections: 3, per_second: 2.5 } });
  expect(created).toMatchObject({
    kind: 'smtp',
    is_platform: false,
    has_secret: false,
    destination_mode: 'transport',
    version: 1,
    settings: { ...settings, tls_verify: true },
    limits: { max_connections: 3, per_second: 2.5, accept_timeout_ms: 120_000 },
  });
  const read = await one.get(`/v1/transports/${created.id}`);
  expect(read.body).toEqual(created);
  expect(read.headers.get('etag')).toBe('"v1"');
  const { body } = await one.get('/v1/transports');
  expect(body.data).toContainEqual(created);
});

test('a secret is never in a reply, and sealed in the database', async () => {
  const created = await create(one, { settings: withAuth, secret });
  const path = `/v1/transports/${created.id}`;
  const patched = await one.patch(
    path,
    { secret: { password: 'a newer password' } },
    { headers: { 'If-Match': '"v1"' } },
  );
  const replies = [
    patched,
    await one.get(path),
    await one.get('/v1/transports'),
    await one.post(`${path}/verify`),
  ];
  const shown = JSON.stringify([created, ...replies.map((reply) => reply.text)]);
  expect(shown).not.toContain('correct horse');
  expect(shown).not.toContain('a newer');
  expect(patched.body).toMatchObject({ has_secret: true, version: 2 });
  const row = await api.db.first<{ secret: Buffer }>('SELECT secret FROM transports WHERE id = ?', [
    await idOf(created.id),
  ]);
  expect(row?.secret.toString('latin1')).not.toContain('newer');
});

test('an idempotent creation that is repeated shows no secret and makes one transport', async () => {
  const headers = { 'Idempotency-Key': 'same' };
  const body = { name: 'Once', settings: withAuth, secret };
  const [first, again] = [
    await one.post('/v1/transports', body, { headers }),
    await one.post('/v1/transports', body, { headers }),
  ];
  expect(again.body).toEqual(first.body);
  expect(again.text).not.toContain(secret.password);
});

test('every mistake is reported at once, under the API’s names', async () => {
  const reply = await one.post('/v1/transports', {
    name: '',
    settings: {
      host: 'smtp example',
      port: 99_999,
      tls: 'yes',
      client_name: 'a b',
      password: 'x',
      tlsVerify: false,
    },
    limits: { max_connections: 0 },
    secret: 'x',
  });
  expect(reply.status).toBe(422);
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
    '/limits/max_connections',
    '/name',
    '/secret',
    '/settings/client_name',
    '/settings/host',
    '/settings/password',
    '/settings/port',
    '/settings/tls',
    '/settings/tlsVerify',
  ]);
});

test.each([
  ['a login without a password', { settings: withAuth }],
  ['a password without a login', { secret }],
])('%s is refused', async (_, changes) => {
  const reply = await one.post('/v1/transports', { name: 'x', settings, ...changes });
  expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/secret' }] } });
});

test.each(['mailhub', 'bounce.x1', 'a b.example.com'])('%j is no domain for return paths', async (domain) => {
  const given = { ...settings, bounce_domain: domain };
  const refused = await one.post('/v1/transports', { name: 'Relay', settings: given });
  expect(refused).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/settings/bounce_domain' }] },
  });
});

test('limits of a destination and a warm-up are taken and shown under the API’s names, and their mistakes found there', async () => {
  const limits = {
    connections: 20,
    per_day: 100_000,
    warm_up: { starts_on: '2026-11-20', first_day: 100, growth: 1.5, until: 400 },
    destinations: { gmail: { per_second: 5, per_day: 10 }, 't-online': { connections: 2 } },
  };
  expect(await create(one, { limits })).toMatchObject({ limits });
  const reply = await one.post('/v1/transports', {
    ...{ name: 'x', settings },
    limits: {
      warm_up: { starts_on: '2026-02-30', first_day: 100, growth: 1.5, until: 99 },
      destinations: { gmail: { perSecond: 5 }, gmial: {} },
    },
  });
  expect(reply.status).toBe(422);
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
    '/limits/destinations/gmail/perSecond',
    '/limits/destinations/gmial',
    '/limits/warm_up/starts_on',
  ]);
  const until = { ...limits, warm_up: { ...limits.warm_up, until: 99 } };
  expect(
    (await one.post('/v1/transports', { name: 'x', settings, limits: until })).body.errors,
  ).toMatchObject([{ pointer: '/limits/warm_up/until' }]);
});

test('a change needs If-Match, and of two at once one wins', async () => {
  const { id } = await create(one);
  const path = `/v1/transports/${id}`;
  expect((await one.patch(path, { name: 'b' })).status).toBe(428);
  expect((await one.patch(path, { name: 'b' }, { headers: { 'If-Match': '"v9"' } })).status).toBe(412);
  const replies = await Promise.all(
    ['c', 'd', 'e'].map((name) => one.patch(path, { name }, { headers: { 'If-Match': '"v1"' } })),
  );
  expect(replies.map((reply) => reply.status).sort()).toEqual([200, 412, 412]);
  expect((await one.get(path)).body.version).toBe(2);
});

test('a stored password does not follow to another server, nor to an unencrypted one', async () => {
  const { id } = await create(one, { settings: withAuth, secret });
  const path = `/v1/transports/${id}`;
  const headers = { 'If-Match': '*' };
  for (const change of [{ host: 'evil.example.com' }, { port: 25 }, { tls: 'none' }, { tls_verify: false }]) {
    const reply = await one.patch(path, { settings: { ...withAuth, ...change } }, { headers });
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/secret' }] } });
  }
  const moved = { settings: { ...withAuth, host: 'new.example.com' }, secret };
  expect((await one.patch(path, moved, { headers })).status).toBe(200);
  expect((await one.patch(path, { settings, secret: null }, { headers })).body.has_secret).toBe(false);
});

test('another tenant sees and changes nothing', async () => {
  const { id } = await create(one);
  const path = `/v1/transports/${id}`;
  const headers = { 'If-Match': '*' };
  expect((await two.get(path)).status).toBe(404);
  expect((await two.patch(path, { name: 'mine' }, { headers })).status).toBe(404);
  expect((await two.delete(path)).status).toBe(404);
  expect((await two.post(`${path}/verify`)).status).toBe(404);
  expect((await two.get('/v1/transports')).body.data).toEqual([]);
  expect((await one.get(path)).body.version).toBe(1);
});

test('the platform’s transports are all tenants’ to use, and nobody’s but the admin’s to change or to look into', async () => {
  const platform = '/v1/platform/transports';
  const created = await create(api.admin, { settings: withAuth, secret }, platform);
  expect(created).toMatchObject({
    is_platform: true,
    settings: { host: 'smtp.example.com' },
    has_secret: true,
  });
  const path = `/v1/transports/${created.id}`;
  const headers = { 'If-Match': '*' };
  for (const tenant of [one, two]) {
    const read = await tenant.get(path);
    expect(read.body).toMatchObject({ is_platform: true, settings: null });
    expect((await tenant.get('/v1/transports')).body.data).toContainEqual(read.body);
    expect((await tenant.patch(path, { name: 'mine' }, { headers })).status).toBe(403);
    expect((await tenant.delete(path)).status).toBe(403);
    expect((await tenant.post(`${path}/verify`)).status).toBe(403);
    expect((await tenant.get(`${platform}/${created.id}`)).status).toBe(403);
  }
  const changed = await api.admin.patch(`${platform}/${created.id}`, { name: 'Shared' }, { headers });
  expect(changed.body).toMatchObject({ name: 'Shared', version: 2 });
  expect((await api.admin.get(platform)).body.data).toEqual([changed.body]);
  const own = await create(one);
  expect((await api.admin.get(`${platform}/${own.id}`)).status).toBe(404);
  await insertCampaign(two, created.id, 'sending');
  expect((await api.admin.delete(`${platform}/${created.id}`)).status).toBe(409);
  await api.db.write("UPDATE campaigns SET state = 'sent'");
  expect((await api.admin.delete(`${platform}/${created.id}`)).status).toBe(204);
  expect((await one.get(path)).status).toBe(404);
});

test('a transport is kept while a campaign needs it; then it goes, and its secret with it', async () => {
  const { id } = await create(one, { settings: withAuth, secret });
  const path = `/v1/transports/${id}`;
  await insertCampaign(one, id, 'draft');
  for (const state of ['scheduled', 'expanding', 'sending']) {
    await api.db.write('UPDATE campaigns SET state = ? WHERE tenant_id = ?', [state, one.tenantId]);
    expect((await one.delete(path)).status).toBe(409);
  }
  await api.db.write("UPDATE campaigns SET state = 'cancelled' WHERE tenant_id = ?", [one.tenantId]);
  expect((await one.delete(path)).status).toBe(204);
  expect((await one.delete(path)).status).toBe(404);
  const rows = await api.db.rows<{ secret: Buffer | null }>(
    'SELECT secret FROM transports WHERE deleted_at IS NOT NULL',
  );
  expect(rows.every((row) => row.secret === null)).toBe(true);
});

test('verifying tells each step, and a host that refuses is an answer', async () => {
  const local = { host: '127.0.0.1', port: sink.port, tls: 'none' };
  const reachable = await create(one, { settings: local });
  const verified = await one.post(`/v1/transports/${reachable.id}/verify`);
  expect(verified.body).toMatchObject({ ok: true, failure: null, server: { is_encrypted: false } });
  expect(verified.body.steps).toContainEqual({ step: 'connect', result: 'ok' });
  const refusing = await create(one, { settings: { ...local, port: 1 } });
  const failed = await one.post(`/v1/transports/${refusing.id}/verify`);
  expect(failed.body).toMatchObject({
    ok: false,
    failure: { cause: 'refused', reply_code: 0 },
    server: null,
  });
  expect(failed.body.steps).toContainEqual({ step: 'connect', result: 'failed' });
});
