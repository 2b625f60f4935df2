import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { importRoutes } from './import-routes.ts';
import { runNextImport } from './import-runner.ts';
import { sweepImports } from './import-sweep.ts';
import { listMemberRoutes } from './list-member-routes.ts';
import { listRoutes } from './list-routes.ts';
import { profileRoutes } from './profile-routes.ts';

let api: TestApi;
let tenant: TestTenant;
const addressKey = Buffer.alloc(32, 7);
const csv = { 'Content-Type': 'text/csv' };
const ndjson = { 'Content-Type': 'application/x-ndjson' };

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => [
      ...importRoutes({ db }),
      ...listRoutes({ db }),
      ...listMemberRoutes({ db, addressKey }),
      ...profileRoutes({ db, addressKey }),
    ],
    environment: { IMPORT_LIMIT_BYTES: '5000000' },
  });
  tenant = await api.createTenant();
});
afterAll(() => api.stop());

const upload = (query: string, raw: string | Uint8Array, headers: Record<string, string> = csv) =>
  tenant.request('POST', `/v1/imports?${query}`, { raw, headers });
const run = () => runNextImport({ db: api.db, log: silentLog, addressKey }, new AbortController().signal);

test('a file is taken as a job and followed to its end', async () => {
  const { body: list } = await tenant.post('/v1/lists', { name: 'Imported' });
  const reply = await upload(
    `format=csv&list_id=${list.id}&delimiter=semicolon`,
    'email;a\nx@example.com;1\nbad;2\nworse;3\ny@example.com;4\n',
  );
  expect(reply).toMatchObject({
    status: 202,
    body: { state: 'pending', format: 'csv', list_id: list.id, rows: 0 },
  });
  const path = reply.headers.get('location') ?? '';
  await run();
  expect((await tenant.get(path)).body).toMatchObject({ state: 'done', rows: 4, accepted: 2, rejected: 2 });
  const { body: first } = await tenant.get(`${path}/errors?page_size=1`);
  expect(first.data).toEqual([{ line: 3, field: 'email', detail: 'has no domain' }]);
  const { body: second } = await tenant.get(`${path}/errors?page_size=1&cursor=${first.next_cursor}`);
  expect(second).toMatchObject({ data: [{ line: 4 }], next_cursor: null });
  expect((await tenant.get(`/v1/lists/${list.id}/members`)).body.data).toHaveLength(2);
  expect((await tenant.get('/v1/imports')).body.data[0]).toMatchObject({ id: reply.body.id, state: 'done' });
});

test('NDJSON takes what creating a profile takes', async () => {
  const { body } = await upload(
    'format=ndjson',
    '{"email":"n@example.com","attributes":{"n":[1,{"x":true}]}}\n{',
    ndjson,
  );
  await run();
  expect((await tenant.get(`/v1/imports/${body.id}`)).body).toMatchObject({
    state: 'done',
    accepted: 1,
    rejected: 1,
  });
  const found = await tenant.get('/v1/profiles?email=n@example.com');
  expect(found.body.data[0].attributes).toEqual({ n: [1, { x: true }] });
});

test('the same upload under the same Idempotency-Key is one import', async () => {
  const headers = { ...csv, 'Idempotency-Key': 'once' };
  const replies = [
    await upload('format=csv', 'email\n', headers),
    await upload('format=csv', 'email\n', headers),
  ];
  expect(replies[1]?.body).toEqual(replies[0]?.body);
  await run();
});

test('another file under the same Idempotency-Key is a 422, by its length or its digest', async () => {
  const headers = { ...csv, 'Idempotency-Key': 'other', 'Content-Digest': 'sha-256=:YQ==:' };
  expect((await upload('format=csv', 'email\na@example.com\n', headers)).status).toBe(202);
  const longer = await upload('format=csv', 'email\naa@example.com\n', headers);
  const same = { ...headers, 'Content-Digest': 'sha-256=:Yg==:' };
  const asLong = await upload('format=csv', 'email\nb@example.com\n', same);
  expect([longer.body.code, asLong.body.code]).toEqual(['idempotency_mismatch', 'idempotency_mismatch']);
  await run();
});

test.each([
  ['no format', '', csv, 400],
  ['an unknown format', 'format=xlsx', csv, 400],
  ['an unknown list', 'format=csv&list_id=lst_00000000001', csv, 400],
  ['a delimiter for NDJSON', 'format=ndjson&delimiter=tab', ndjson, 400],
  ['another type than the format', 'format=csv', ndjson, 415],
  ['an unknown type', 'format=csv', { 'Content-Type': 'application/json' }, 415],
  ['another charset', 'format=csv', { 'Content-Type': 'text/csv; charset=iso-8859-1' }, 415],
] as const)('%s is refused before anything is stored', async (_name, query, headers, status) => {
  const before = await api.db.rows('SELECT id FROM imports');
  expect((await upload(query, 'email\n', headers)).status).toBe(status);
  expect(await api.db.rows('SELECT id FROM imports')).toEqual(before);
});

test('an empty body and one beyond the limit leave a failed import', async () => {
  expect((await upload('format=csv', '')).status).toBe(400);
  const failures = (await tenant.get('/v1/imports')).body.data.map(
    ({ failure }: { failure: unknown }) => failure,
  );
  expect(failures).toContain('The body is empty');
  const reply = await upload('format=csv', new Uint8Array(5_000_001).fill(97));
  expect(reply).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
  expect(await run()).toBe(false);
});

test('a client that breaks off leaves a failed import and nothing else', async () => {
  const own = await api.createTenant();
  const call = request(`${api.url}/v1/imports?format=csv`, {
    method: 'POST',
    headers: {
      ...csv,
      Authorization: `Bearer ${own.secret}`,
      'Idempotency-Key': 'broken',
      'Content-Length': 3_000_000,
    },
  });
  call.on('error', () => {});
  call.write(`email\n${'a@example.com\n'.repeat(100_000)}`);
  const only = async () => (await own.get('/v1/imports')).body.data[0];
  await expect.poll(only).toMatchObject({ state: 'receiving', received_bytes: expect.any(Number) });
  await expect.poll(async () => (await only()).received_bytes).toBeGreaterThan(1_000_000);
  call.destroy();
  await expect.poll(only).toMatchObject({ state: 'failed', failure: 'The upload broke off before its end' });
  expect(await run()).toBe(false);
  await sweepImports(api.db);
  expect(await api.db.rows('SELECT 1 FROM import_blocks WHERE tenant_id = ?', [own.tenantId])).toEqual([]);
  expect((await own.get('/v1/profiles')).body.data).toEqual([]);
  const again = await own.request('POST', '/v1/imports?format=csv', {
    raw: 'email\na@example.com\n',
    headers: { ...csv, 'Idempotency-Key': 'broken' },
  });
  expect(again.status).toBe(202);
  await run();
});

test('an import is cancelled until it has ended', async () => {
  const { body } = await upload('format=csv', 'email\nc@example.com\n');
  const path = `/v1/imports/${body.id}`;
  for (let i = 0; i < 2; i++) {
    expect(await tenant.post(`${path}/cancel`)).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  }
  expect(await run()).toBe(false);
  const { body: other } = await upload('format=csv', 'email\nc@example.com\n');
  await run();
  expect((await tenant.post(`/v1/imports/${other.id}/cancel`)).status).toBe(409);
});

test('one tenant sees nothing of the imports of another', async () => {
  const other = await api.createTenant();
  const { body } = await upload('format=csv', 'email\nbad\n');
  await run();
  expect((await other.get(`/v1/imports/${body.id}`)).status).toBe(404);
  expect((await other.get(`/v1/imports/${body.id}/errors`)).status).toBe(404);
  expect((await other.post(`/v1/imports/${body.id}/cancel`)).status).toBe(404);
  expect((await other.get('/v1/imports')).body.data).toEqual([]);
});
