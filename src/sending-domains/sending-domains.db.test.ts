import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { deriveKeys } from '../keys.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { type ResolveTxt, txtResolverOf } from './record-check.ts';
import { sendingDomainRoutes } from './sending-domain-routes.ts';
import { mostKeys } from './sending-domain-store.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
/** What the DNS of the tests answers. */
let dns: ResolveTxt;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db, config }) => {
      const { secrets: secretsKey } = deriveKeys(config.SECRET_KEY);
      return sendingDomainRoutes({ db, secretsKey, resolveTxt: (name) => dns(name) });
    },
  });
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.db.write('DELETE FROM sending_domains');
  [one, two] = [await api.createTenant(), await api.createTenant()];
});

const path = '/v1/sending-domains';
const domain = 'news.example.com';
const small = { domain, algorithm: 'ed25519-sha256' };
const created = async (body: object = small, tenant = one) => {
  const reply = await tenant.post(path, body);
  expect(reply.status, reply.text).toBe(201);
  return reply.body;
};
const act = (id: string, action: string, body?: object, tenant = one) =>
  tenant.post(`${path}/${id}/${action}`, body);
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  ...{ type: 'pkcs8', format: 'pem' },
}) as string;

test('a key is made, shown with its record, listed, activated, deactivated and deleted', async () => {
  const reply = await one.post(path, { domain: 'News.Example.COM', selector: 'S2026' });
  expect(reply).toMatchObject({
    status: 201,
    body: { domain, selector: 's2026', algorithm: 'rsa-sha256', is_active: false },
  });
  const { id, dns_record: record } = reply.body;
  expect(reply.headers.get('location')).toBe(`${path}/${id}`);
  expect(record).toMatchObject({ name: `s2026._domainkey.${domain}`, type: 'TXT' });
  expect(record.value).toMatch(/^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]+=*$/);
  expect(record.strings.join('')).toBe(record.value);
  expect(Math.max(...record.strings.map((text: string) => text.length))).toBeLessThanOrEqual(255);
  expect((await one.get(`${path}/${id}`)).body).toEqual(reply.body);
  expect((await one.get(`${path}?domain=${domain}`)).body.data).toEqual([reply.body]);
  expect((await one.get(`${path}?domain=example.com`)).body.data).toEqual([]);
  expect(await act(id, 'activate')).toMatchObject({ status: 200, body: { id, is_active: true } });
  expect((await act(id, 'activate')).body).toMatchObject({ is_active: true });
  expect((await one.delete(`${path}/${id}`)).status).toBe(409);
  expect((await act(id, 'deactivate')).body).toMatchObject({ is_active: false });
  expect((await one.delete(`${path}/${id}`)).status).toBe(204);
  expect((await one.delete(`${path}/${id}`)).status).toBe(404);
  expect((await act(id, 'activate')).status).toBe(404);
  expect((await act(id, 'deactivate')).status).toBe(404);
});

test('a key of one’s own comes in, and its private half is never seen again', async () => {
  const reply = await one.post(path, { domain, private_key: pem, is_active: true });
  expect(reply).toMatchObject({ status: 201, body: { algorithm: 'rsa-sha256', is_active: true } });
  const p = reply.body.dns_record.value.replace(/^.*p=/, '');
  const shown = createPublicKey({ key: Buffer.from(p, 'base64'), format: 'der', type: 'spki' });
  expect(shown.equals(createPublicKey(createPrivateKey(pem)))).toBe(true);
  const secret = pem.split('\n')[5] as string;
  const texts = [reply.text, (await one.get(path)).text, (await act(reply.body.id, 'rotate', {})).text];
  for (const text of texts) expect(text).not.toMatch(/PRIVATE|private/);
  for (const text of texts) expect(text).not.toContain(secret);
  const [row] = await api.db.rows<{ private_key: Buffer }>('SELECT private_key FROM sending_domains');
  expect(row?.private_key.toString('latin1')).not.toContain(secret);
});

test('mistakes are told where they are', async () => {
  const pointers = async (changes: object) => {
    const reply = await one.post(path, { ...small, ...changes });
    expect(reply).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    return reply.body.errors.map((error: { pointer: string }) => error.pointer);
  };
  expect(await pointers({ domain: 'localhost' })).toEqual(['/domain']);
  expect(await pointers({ domain: 'a b.example' })).toEqual(['/domain']);
  expect(await pointers({ selector: '-a' })).toEqual(['/selector']);
  expect(await pointers({ selector: 'a;b' })).toEqual(['/selector']);
  expect(await pointers({ algorithm: 'rsa-sha1' })).toEqual(['/algorithm']);
  expect(await pointers({ private_key: 'x' })).toEqual(['/private_key']);
  expect(await pointers({ private_key: pem })).toEqual(['/private_key']);
});

test('a domain has each selector once, and a tenant so many keys', async () => {
  await created({ ...small, selector: 'a' });
  expect(await one.post(path, { ...small, selector: 'a' })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  });
  await created({ ...small, selector: 'a' }, two);
  const rows = Array.from({ length: mostKeys - 1 }, (_, n) => [
    ...[one.tenantId, n + 1, domain, `n${n}`, 'ed25519-sha256', 'x', 'x', new Date(), new Date()],
  ]);
  await api.db.write(
    'INSERT INTO sending_domains (tenant_id, id, domain, selector, algorithm, private_key, public_key, created_at, updated_at) VALUES ?',
    [rows],
  );
  expect((await one.post(path, small)).status).toBe(409);
});

test('a key is rotated: the old one signs until the new one is activated', async () => {
  const old = await created({ ...small, is_active: true });
  const rsa = await created({ domain, private_key: pem, is_active: true });
  const next = (await act(old.id, 'rotate', {})).body;
  expect(next).toMatchObject({ domain, algorithm: 'ed25519-sha256', is_active: false });
  expect(next.selector).not.toBe(old.selector);
  expect((await act(old.id, 'rotate', { private_key: pem })).status).toBe(422);
  const active = async () =>
    (await one.get(path)).body.data
      .filter((key: { is_active: boolean }) => key.is_active)
      .map((key: { id: string }) => key.id)
      .sort();
  expect(await active()).toEqual([old.id, rsa.id].sort());
  await act(next.id, 'activate');
  expect(await active()).toEqual([next.id, rsa.id].sort());
  expect((await one.delete(`${path}/${old.id}`)).status).toBe(204);
});

test('of two keys that are activated at the same moment one signs', async () => {
  const keys = [await created(), await created()];
  await Promise.all(keys.map(({ id }) => act(id, 'activate')));
  const rows = await api.db.rows('SELECT id FROM sending_domains WHERE is_active = 1');
  expect(rows).toHaveLength(1);
});

test('verify says what the DNS holds', async () => {
  const { id, dns_record: record } = await created();
  const resultOf = async (answer: ResolveTxt) => {
    dns = answer;
    const reply = await act(id, 'verify');
    expect(reply.status).toBe(200);
    expect(reply.body.ok).toBe(reply.body.result === 'published');
    return reply.body;
  };
  const fails = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  const asked: string[] = [];
  const published = async (name: string) => {
    asked.push(name);
    return [[record.value.slice(0, 20), record.value.slice(20)]];
  };
  expect(await resultOf(published)).toMatchObject({ result: 'published', found: [record.value] });
  expect(asked).toEqual([record.name]);
  const [key] = /[^=]+=?$/.exec(record.value) as [string];
  expect(
    await resultOf(async () => [[`k=ed25519;t=s; p= ${key.slice(0, 9)} ${key.slice(9)};`]]),
  ).toMatchObject({
    ok: true,
  });
  expect(await resultOf(async () => [['v=DKIM1; k=ed25519; p=']])).toMatchObject({ result: 'different' });
  expect(await resultOf(async () => [[`v=DKIM1; p=${key}`]])).toMatchObject({ result: 'different' });
  expect(await resultOf(async () => [[record.value], ['x\u0007']])).toMatchObject({
    ...{ result: 'several', found: [record.value, 'x?'] },
  });
  expect(await resultOf(async () => [])).toMatchObject({ result: 'absent' });
  expect(await resultOf(fails('ENOTFOUND'))).toMatchObject({ result: 'absent', found: [] });
  expect(await resultOf(fails('ETIMEOUT'))).toMatchObject({ result: 'unreachable' });
  expect(await resultOf(txtResolverOf('127.0.0.1:1'))).toMatchObject({ result: 'unreachable' });
});

test('tenants neither see nor touch each other’s keys', async () => {
  const mine = await created({ ...small, is_active: true });
  dns = async () => [[mine.dns_record.value]];
  expect((await two.get(path)).body.data).toEqual([]);
  expect((await two.get(`${path}/${mine.id}`)).status).toBe(404);
  for (const action of ['activate', 'deactivate', 'verify'])
    expect((await act(mine.id, action, undefined, two)).status).toBe(404);
  expect((await act(mine.id, 'rotate', {}, two)).status).toBe(404);
  expect((await two.delete(`${path}/${mine.id}`)).status).toBe(404);
  expect((await one.get(`${path}/${mine.id}`)).body).toEqual(mine);
});
