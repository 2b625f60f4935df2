import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { sendingDomainRoutes } from './sending-domain-routes.ts';
import { createSigningKeySource } from './signing-keys.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
let secretsKey: Buffer;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db, config }) => {
      secretsKey = deriveKeys(config.SECRET_KEY).secrets;
      return sendingDomainRoutes({ db, secretsKey, resolveTxt: async () => [] });
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
const created = async (body: object = small) => (await one.post(path, body)).body;
const act = (id: string, action: string, body?: object) => one.post(`${path}/${id}/${action}`, body);
const sourceOf = (key = secretsKey) =>
  createSigningKeySource({ db: api.db, log: silentLog, secretsKey: key });

test('send workers sign with the active keys of the tenant and domain, and hear of changes', async () => {
  const source = sourceOf();
  const selectorsOf = async (tenant = one, name = domain) => {
    const keys = await source.keysOf(tenant.tenantId, name);
    return keys === 'unusable' ? keys : keys.map(({ selector }) => selector);
  };
  expect(await selectorsOf()).toEqual([]);
  const ed = await created({ ...small, is_active: true });
  const rsa = await created({ domain, is_active: true });
  await source.refresh();
  expect(await selectorsOf()).toEqual([rsa.selector, ed.selector]);
  expect(await selectorsOf(two)).toEqual([]);
  expect(await selectorsOf(one, 'example.com')).toEqual([]);
  expect(await selectorsOf(one, `a.${domain}`)).toEqual([]);
  await act(rsa.id, 'deactivate');
  await source.refresh();
  expect(await selectorsOf()).toEqual([ed.selector]);
  await act(ed.id, 'deactivate');
  await source.refresh();
  expect(await selectorsOf()).toEqual([]);
});

test('a key that does not open makes its domain unusable, and no other', async () => {
  const bad = await created({ ...small, is_active: true });
  await created({ ...small, domain: 'other.example.com', is_active: true });
  const row = await api.db.first<{ private_key: Buffer }>(
    "SELECT private_key FROM sending_domains WHERE domain = 'other.example.com'",
  );
  // Copied from the other domain's row, it is not this one's.
  await api.db.write('UPDATE sending_domains SET private_key = ? WHERE id = ?', [
    ...[row?.private_key, parseId('sendingDomain', bad.id)],
  ]);
  const source = sourceOf();
  expect(await source.keysOf(one.tenantId, domain)).toBe('unusable');
  expect(await source.keysOf(one.tenantId, 'other.example.com')).toHaveLength(1);
  expect(await sourceOf(Buffer.alloc(32, 9)).keysOf(one.tenantId, 'other.example.com')).toBe('unusable');
  const { body: next } = await act(bad.id, 'rotate', {});
  await act(next.id, 'activate');
  await source.refresh();
  expect(await source.keysOf(one.tenantId, domain)).toHaveLength(1);
});

test('a running worker has a change within two seconds', async () => {
  const source = sourceOf();
  const { id } = await created();
  expect(await source.keysOf(one.tenantId, domain)).toEqual([]);
  await source.start();
  try {
    const started = performance.now();
    await act(id, 'activate');
    const count = async () => (await source.keysOf(one.tenantId, domain)).length;
    await expect.poll(count, { timeout: 5_000, interval: 20 }).toBe(1);
    expect(performance.now() - started).toBeLessThan(2_000);
  } finally {
    await source.stop();
  }
});
