import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CampaignId, formatId, newId, type TenantId } from '../ids.ts';
import { partOf } from '../ledger/partitions.ts';
import { counterSlots } from '../ledger/recount.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { readWaiting, scaleParts } from './campaign-chunks.ts';
import { campaignPaceRoutes } from './campaign-pace-routes.ts';
import { countReads, insertDestination, insertLane, publishPace } from './test-view.ts';

let api: TestApi;
let tenant: TestTenant;
let tenantId: TenantId;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db, redis, config, clock }) =>
      campaignPaceRoutes({ db, redis, prefix: config.REDIS_PREFIX, clock, log: silentLog }),
  });
});
afterAll(() => api.stop());
beforeEach(async () => {
  tenant = await api.createTenant();
  ({ tenantId } = tenant);
  await api.db.write('DELETE FROM leases');
  await setAlive('scheduler', 'dispatcher', 'm:render-1', 'm:send-1');
});

async function setAlive(...names: readonly string[]) {
  await api.db.write('INSERT INTO leases (name, owner, epoch, until) VALUES ?', [
    names.map((name) => [name, 'x', 1, new Date(Date.now() + 60_000)]),
  ]);
}

async function insertCampaign(columns: Readonly<Record<string, unknown>> = {}, counts = { pending: 0 }) {
  const id = newId('campaign');
  const row = {
    ...{
      tenant_id: tenantId,
      id,
      part: partOf(Date.now()),
      name: 'c',
      class: 2,
      state: 'sending',
      audience: '{}',
    },
    ...{ message: '{}', in_doubt_policy: 'resend', deliver_within_s: 3600, expansion_done: 1 },
    ...{ send_at: new Date(), deadline_at: new Date(Date.now() + 3_600_000), ...columns },
  };
  await api.db.write(
    `INSERT INTO campaigns (${Object.keys(row).join(', ')}, created_at, updated_at) VALUES (?, NOW(3), NOW(3))`,
    [Object.values(row)],
  );
  const slots = Array.from({ length: counterSlots }, (_, slot) => [
    ...[tenantId, id, slot, slot === 0 ? counts.pending : 0],
  ]);
  await api.db.write('INSERT INTO campaign_counters (tenant_id, campaign_id, slot, n_pending) VALUES ?', [
    slots,
  ]);
  return id;
}

async function paceOf(id: CampaignId, client: TestTenant = tenant) {
  return client.get(`/v1/campaigns/${formatId('campaign', id)}/pace`);
}

async function rulesOf(id: CampaignId): Promise<string[]> {
  const { body } = await paceOf(id);
  return body.findings.map(({ rule }: { rule: string }) => rule);
}

test('a slow campaign is explained by its destinations, most messages first, with others that share them', async () => {
  const campaignId = await insertCampaign(
    { sending_domain: 'shop.example', per_minute: 600_000 },
    { pending: 1_260 },
  );
  const gmail = await insertDestination(api.db, { owner: null, name: 'gmail' });
  const { destinationId: yahoo } = await insertDestination(api.db, {
    ...{ owner: null, name: 'yahoo', transportId: gmail.transportId },
  });
  const lane = { tenantId, campaignId };
  await insertLane(api.db, { ...lane, destinationId: gmail.destinationId, chunks: 2, fresh: 500 });
  await insertLane(api.db, { ...lane, destinationId: gmail.destinationId, retry: 60, dueInSeconds: 300 });
  await insertLane(api.db, { ...lane, destinationId: yahoo, outstanding: 50, chunks: 1, fresh: 150 });
  const other = await api.createTenant();
  await insertLane(api.db, { tenantId: other.tenantId, destinationId: gmail.destinationId, fresh: 5 });
  await publishPace(api, gmail.destinationId, { limitedBy: 'learnt_rate', learntPerSecond: 10 });
  await publishPace(api, yahoo, {});
  await api.db.write(
    `INSERT INTO sender_pauses VALUES (?, ?, 'shop.example', NOW(3) + INTERVAL 30 MINUTE, 550, '5.7.1 blocked', 3, NOW(3), NOW(3))`,
    [tenantId, yahoo],
  );

  const { status, body } = await paceOf(campaignId);
  expect([status, body.pending, body.is_estimate]).toEqual([200, 1_260, false]);
  expect(
    body.findings.map((one: { rule: string; pending: number; destination: { name: string } | null }) => [
      ...[one.rule, one.destination?.name, one.pending],
    ]),
  ).toEqual([
    ['learnt_rate', 'gmail', 1_000],
    ['sender_pause', 'yahoo', 200],
    ['retries', 'gmail', 60],
    ['campaign_rate', undefined, 1_060],
    ['shared', 'gmail', 1_000],
  ]);
  expect(body.findings[1].detail).toContain('550 5.7.1 blocked');
  expect(body.findings[2].seconds).toBeGreaterThan(250);
  expect(Math.round(body.at_least_seconds / 60)).toBe(30);
});

test('what is missing of the fleet is told', async () => {
  const id = await insertCampaign();
  expect(await rulesOf(id)).toEqual([]);
  await api.db.write("UPDATE leases SET until = NOW(3) WHERE name <> 'scheduler'");
  expect(await rulesOf(id)).toEqual(['no_dispatcher', 'no_render_worker', 'no_send_worker']);
  await setAlive('m:all-7');
  expect(await rulesOf(id)).toEqual(['no_dispatcher']);
  const due = await insertCampaign({
    state: 'scheduled',
    expansion_done: 0,
    send_at: new Date(Date.now() - 5_000),
  });
  await api.db.write('DELETE FROM leases');
  expect(await rulesOf(due)).toContain('no_scheduler');
});

test('a campaign that is not due says when it starts, a paused one that it is paused', async () => {
  const later = await insertCampaign({ state: 'scheduled', send_at: new Date(Date.now() + 7_200_000) });
  const { body } = await paceOf(later);
  expect(body.findings).toMatchObject([{ rule: 'not_due', effect: 'stop', destination: null }]);
  expect(body.at_least_seconds).toBeGreaterThan(7_100);
  const paused = await insertCampaign({ paused_at: new Date() });
  expect((await paceOf(paused)).body).toMatchObject({
    findings: [{ rule: 'paused' }],
    at_least_seconds: null,
  });
});

test('another tenant’s campaign is not there, nor are another’s pauses', async () => {
  const id = await insertCampaign({ sending_domain: 'shop.example' }, { pending: 5 });
  const { destinationId } = await insertDestination(api.db, { owner: null });
  await insertLane(api.db, { tenantId, campaignId: id, destinationId, fresh: 5 });
  await publishPace(api, destinationId, {});
  const other = await api.createTenant();
  await api.db.write(
    `INSERT INTO sender_pauses VALUES (?, ?, 'shop.example', NOW(3) + INTERVAL 30 MINUTE, 550, 'x', 3, NOW(3), NOW(3))`,
    [other.tenantId, destinationId],
  );
  expect((await paceOf(id, other)).status).toBe(404);
  expect(await rulesOf(id)).toEqual(['none']);
});

test('of a very large campaign both ends are read, and their parts scaled to what is pending', async () => {
  const id = await insertCampaign();
  const [slow, fast] = [
    await insertDestination(api.db, { owner: tenantId }),
    await insertDestination(api.db, { owner: tenantId }),
  ].map(({ destinationId }) => destinationId) as [number, number];
  const lane = { tenantId, campaignId: id, fresh: 100 };
  await insertLane(api.db, { ...lane, destinationId: slow, chunks: 60 });
  await insertLane(api.db, { ...lane, destinationId: fast, chunks: 60 });
  const key = { tenantId, id };
  const sample = await readWaiting(api.db, key, partOf(Date.now()), 20);
  expect(sample.isWhole).toBe(false);
  expect(Object.fromEntries(scaleParts(sample, 12_000).map((one) => [one.destinationId, one.ready]))).toEqual(
    {
      [slow]: 6_000,
      [fast]: 6_000,
    },
  );
  const all = await readWaiting(api.db, key, partOf(Date.now()));
  expect([all.isWhole, all.parts.length]).toEqual([true, 2]);
});

test('of 20,000 chunks that are pending 5,000 are read, and none is sorted', async () => {
  const id = await insertCampaign();
  const { destinationId } = await insertDestination(api.db, { owner: tenantId });
  await insertLane(api.db, { tenantId, campaignId: id, destinationId, chunks: 20_000, fresh: 500 });
  const rowsRead = await api.db.transaction((tx) =>
    countReads(tx, () => readWaiting(tx, { tenantId, id }, partOf(Date.now()))),
  );
  // An entry and a row for each, and its place in the derived table.
  expect(rowsRead).toBeLessThan(3 * 5_000);
});
