import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { formatId, newId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { createTestLedger } from '../testing/test-ledger.ts';
import { senderPauseRoutes } from './sender-pause-routes.ts';
import { pauseSender } from './sender-pauses.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
let gmail: number;
const transportId = newId('transport');
const domain = 'news.example.com';
const reply = { code: 550, enhanced: '5.7.26', text: 'This message does not pass authentication' };

beforeAll(async () => {
  api = await startTestApi({ routes: ({ db }) => senderPauseRoutes(db) });
  const insert = 'INSERT INTO destinations (transport_id, name) VALUES (?, ?)';
  gmail = (await api.db.write(insert, [transportId, 'gmail'])).insertId;
});
afterAll(() => api.stop());
beforeEach(async () => {
  [one, two] = [await api.createTenant(), await api.createTenant()];
});

const pause = (tenant: TestTenant, durationMs = 3_600_000) =>
  pauseSender(api.db, { tenantId: tenant.tenantId, destinationId: gmail, domain, durationMs, reply });
const list = async (tenant: TestTenant) => (await tenant.get('/v1/sender-pauses')).body.data;
const pathOf = (name = domain) => `/v1/sender-pauses/${formatId('destination', gmail)}/${name}`;

test('a pause tells where, why and until when; it is extended and never cut short', async () => {
  await pause(one);
  await pause(one, 1_000);
  const [shown] = await list(one);
  expect(shown).toMatchObject({
    ...{ destination: 'gmail', domain, reply_code: 550, refusals: 2 },
    reply: '5.7.26 This message does not pass authentication',
    transport_id: formatId('transport', transportId),
  });
  const lasts = Date.parse(shown.until) - Date.parse(shown.since);
  expect(lasts).toBeGreaterThanOrEqual(3_600_000);
  expect(lasts).toBeLessThan(3_660_000);
});

test('one that is over is gone, and the next begins anew', async () => {
  await pause(one);
  await api.db.write(
    'UPDATE sender_pauses SET until = NOW(3) - INTERVAL 1 SECOND, refusals = 9 WHERE tenant_id = ?',
    [one.tenantId],
  );
  expect(await list(one)).toEqual([]);
  expect((await one.delete(pathOf())).status).toBe(404);
  await pause(one);
  expect(await list(one)).toMatchObject([{ refusals: 1 }]);
});

test('a tenant resumes its own and nobody else’s, and what was set back comes forward', async () => {
  const ledger = await createTestLedger(api.db, { tenantId: one.tenantId, destinationId: gmail, chunks: 2 });
  await api.db.write('UPDATE campaigns SET sending_domain = ? WHERE id = ?', [domain, ledger.campaignId]);
  await api.db.write('UPDATE chunks SET due_at = NOW(3) + INTERVAL 5 MINUTE WHERE campaign_id = ?', [
    ledger.campaignId,
  ]);
  await api.db.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [one.tenantId]);
  await pause(one);
  expect(await list(two)).toEqual([]);
  expect((await two.delete(pathOf())).status).toBe(404);
  expect((await one.delete(pathOf('other.example.com'))).status).toBe(404);
  expect((await one.delete(pathOf(domain.toUpperCase()))).status).toBe(204);
  expect(await list(one)).toEqual([]);
  const due = await api.db.rows('SELECT 1 FROM chunks WHERE campaign_id = ? AND due_at <= NOW(3)', [
    ledger.campaignId,
  ]);
  expect(due).toHaveLength(2);
  expect(
    await api.db.rows('SELECT 1 FROM lanes WHERE tenant_id = ? AND next_due_at <= NOW(3)', [one.tenantId]),
  ).toHaveLength(1);
});

test('no address is ever suppressed', async () => {
  const ledger = await createTestLedger(api.db, { tenantId: one.tenantId, destinationId: gmail });
  await api.db.write('UPDATE campaigns SET sending_domain = ? WHERE id = ?', [domain, ledger.campaignId]);
  await pause(one);
  await one.delete(pathOf());
  expect(await api.db.rows('SELECT 1 FROM suppressions')).toEqual([]);
  const states = await api.db.rows('SELECT DISTINCT state FROM deliveries WHERE campaign_id = ?', [
    ledger.campaignId,
  ]);
  expect(states).toEqual([{ state: 0 }]);
});

test('pages follow each other', async () => {
  for (let no = 0; no < 5; no++)
    await pauseSender(api.db, {
      ...{ tenantId: one.tenantId, destinationId: gmail, durationMs: 60_000, reply },
      domain: `d${no}.example.com`,
    });
  const first = await one.get('/v1/sender-pauses?page_size=3');
  const second = await one.get(`/v1/sender-pauses?page_size=3&cursor=${first.body.next_cursor}`);
  const domains = [...first.body.data, ...second.body.data].map((item: { domain: string }) => item.domain);
  expect(domains).toEqual([0, 1, 2, 3, 4].map((no) => `d${no}.example.com`));
  expect(second.body.next_cursor).toBeNull();
});
