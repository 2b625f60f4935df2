import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { utcDay } from '../transport-settings/utc-day.ts';
import { destinationRoutes } from './destination-routes.ts';
import { laneRoutes } from './lane-routes.ts';
import { insertDestination, insertLane, publishPace } from './test-view.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
/** The routes' Redis; a test points it elsewhere. */
let redis: Redis;

beforeAll(async () => {
  api = await startTestApi({
    routes: (parts) => {
      redis = parts.redis;
      const view = {
        ...{ db: parts.db, prefix: parts.config.REDIS_PREFIX, clock: parts.clock, log: silentLog },
        get redis() {
          return redis;
        },
      };
      return [...destinationRoutes(view), ...laneRoutes(view)];
    },
  });
  [one, two] = [await api.createTenant(), await api.createTenant()];
});
afterAll(() => api.stop());

async function destinationOf(client: Pick<TestTenant, 'get'>, id: number, path = '/v1/destinations') {
  const { body } = await client.get(`${path}?page_size=200`);
  return body.data.find((one: { id: string }) => one.id === formatId('destination', id));
}

test('a destination shows its backlog, its pace, its limits and its day', async () => {
  const limits = { perSecond: 50, destinations: { gmail: { perDay: 1000 } }, perDay: 5000 };
  const { destinationId, transportId } = await insertDestination(api.db, {
    owner: one.tenantId,
    name: 'gmail',
    limits,
  });
  const yahoo = await insertDestination(api.db, { owner: one.tenantId, name: 'yahoo', transportId });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, chunks: 3, fresh: 100, outstanding: 40 });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, class: 0, retry: 7, dueInSeconds: 600 });
  const reply = { code: 421, class: 'throttled', text: '4.7.0 try again later' };
  await publishPace(api, destinationId, {
    ...{ learntPerSecond: 20, limitedBy: 'learnt_rate', lastReplies: [reply] },
    ...{ measuredPerSecond: 19.5, windowMessages: 60 },
  });
  for (const [id, attempts] of [
    [destinationId, 250],
    [yahoo.destinationId, 4000],
  ])
    await api.db.write('INSERT INTO destination_days VALUES (?, ?, ?)', [id, utcDay(Date.now()), attempts]);

  const shown = await destinationOf(one, destinationId);
  expect(shown).toMatchObject({
    name: 'gmail',
    transport: { id: formatId('transport', transportId), is_platform: false },
    backlog: { messages: 307, fresh: 300, retry: 7, is_estimate: false },
    outstanding: 40,
    pace: { window: 60, measured_per_second: 19.5, in_flight: 12, connections: 3, breaker: 'closed' },
    rate_limit: { per_second: 20, source: 'learnt' },
    connection_limit: 5,
    limited_by: 'learnt_rate',
    last_replies: [reply],
    today: { attempts: 250, quota: 1000, transport_attempts: 4250, transport_quota: 5000, left: 750 },
  });
  expect(shown.reason).toContain('20 messages a second');
  expect(Date.parse(shown.next_attempt_at) - Date.now()).toBeLessThan(1_000);
});

test('a closed destination is tried next when it opens, and its breaker says until when', async () => {
  const { destinationId } = await insertDestination(api.db, { owner: one.tenantId });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, fresh: 5 });
  await publishPace(api, destinationId, {
    ...{ breaker: 'open', closedForMs: 60_000, limitedBy: 'breaker', windowMessages: 0 },
  });
  const shown = await destinationOf(one, destinationId);
  expect(shown).toMatchObject({ limited_by: 'breaker', pace: { breaker: 'open', window: 0 } });
  expect(shown.pace.closed_for_ms).toBeGreaterThan(50_000);
  expect(Date.parse(shown.next_attempt_at) - Date.now()).toBeGreaterThan(50_000);
});

test('of the platform’s destinations a tenant sees its own mail and no replies; the admin sees all', async () => {
  const { destinationId } = await insertDestination(api.db, { owner: null, limits: { perSecond: 5 } });
  await publishPace(api, destinationId, {
    lastReplies: [{ code: 550, class: 'rejected', text: 'of somebody' }],
  });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, fresh: 10, outstanding: 3 });
  expect(await destinationOf(two, destinationId)).toBeUndefined();
  await insertLane(api.db, { tenantId: two.tenantId, destinationId, fresh: 500, outstanding: 4 });
  expect(await destinationOf(one, destinationId)).toMatchObject({
    ...{ backlog: { messages: 10 }, outstanding: 3, last_replies: null },
    ...{ transport: { is_platform: true }, rate_limit: { per_second: 5, source: 'configured' } },
  });
  expect(await destinationOf(api.admin, destinationId, '/v1/platform/destinations')).toMatchObject({
    ...{ backlog: { messages: 510 }, outstanding: 7, last_replies: [{ text: 'of somebody' }] },
  });
  expect((await one.get('/v1/platform/destinations')).status).toBe(403);
});

test('another tenant’s own destinations are not there, nor their lanes', async () => {
  const { destinationId } = await insertDestination(api.db, { owner: one.tenantId });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, fresh: 10 });
  expect(await destinationOf(one, destinationId)).toBeDefined();
  expect(await destinationOf(two, destinationId)).toBeUndefined();
  const { text } = await two.get('/v1/lanes?page_size=200');
  expect(text).not.toContain(formatId('destination', destinationId));
});

test('while Redis is away all is shown but the pace', async () => {
  const { destinationId } = await insertDestination(api.db, {
    owner: one.tenantId,
    limits: { perSecond: 5 },
  });
  await insertLane(api.db, { tenantId: one.tenantId, destinationId, fresh: 5 });
  await publishPace(api, destinationId, {});
  const [there, away] = [redis, new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false })];
  away.on('error', () => undefined);
  redis = away;
  const shown = await destinationOf(one, destinationId);
  redis = there;
  away.disconnect();
  expect(shown).toMatchObject({
    ...{ backlog: { messages: 5 }, pace: null, limited_by: null, reason: null, last_replies: null },
    rate_limit: { per_second: 5, source: 'configured' },
  });
  expect(await destinationOf(one, destinationId)).toMatchObject({ pace: { window: 300 } });
});

test('lanes show backlog by class, weight and what limits their destination', async () => {
  const tenant = await api.createTenant();
  const { tenantId } = tenant;
  await api.db.write('UPDATE tenants SET weight = 250 WHERE id = ?', [tenantId]);
  const { destinationId } = await insertDestination(api.db, { owner: tenantId });
  await insertLane(api.db, { tenantId, destinationId, chunks: 2, fresh: 50, outstanding: 20 });
  await insertLane(api.db, { tenantId, destinationId, class: 0, retry: 3, dueInSeconds: 600 });
  await publishPace(api, destinationId, { limitedBy: 'slow' });
  const { body } = await tenant.get('/v1/lanes');
  expect(body).toMatchObject({
    data: [
      {
        ...{ class: 'transactional', outstanding: 0, weight: 250, limited_by: 'slow' },
        backlog: { fresh: 0, retry: 3, messages: 3 },
      },
      { class: 'campaign', outstanding: 20, backlog: { fresh: 100, retry: 0, is_estimate: false } },
    ],
    next_cursor: null,
  });
  expect(Date.parse(body.data[0].next_due_at) - Date.now()).toBeGreaterThan(500_000);
});

test('what waits within a chunk that is under way is backlog, and a quota that is used up opens at midnight', async () => {
  const tenant = await api.createTenant();
  const { tenantId } = tenant;
  const { destinationId } = await insertDestination(api.db, { owner: tenantId, limits: { perDay: 30 } });
  await insertLane(api.db, { tenantId, destinationId, fresh: 100, outstanding: 30, outstandingOf: 500 });
  await publishPace(api, destinationId, { limitedBy: 'quota', windowMessages: 0 });
  await api.db.write('INSERT INTO destination_days VALUES (?, ?, 30)', [destinationId, utcDay(Date.now())]);
  const shown = await destinationOf(tenant, destinationId);
  expect(shown).toMatchObject({
    backlog: { messages: 570, fresh: 570 },
    outstanding: 30,
    today: { left: 0 },
  });
  expect(shown.next_attempt_at).toBe(`${utcDay(Date.now() + 86_400_000)}T00:00:00.000Z`);
  const { body } = await tenant.get('/v1/lanes');
  expect(body.data).toMatchObject([{ backlog: { messages: 570 }, outstanding: 30 }]);
  expect(await destinationOf(api.admin, destinationId, '/v1/platform/destinations')).toMatchObject({
    ...{ backlog: { messages: 570 }, outstanding: 30 },
  });
});

test('pages of destinations and lanes hold each once', async () => {
  const tenant = await api.createTenant();
  const { tenantId } = tenant;
  for (let i = 0; i < 3; i++) {
    const { destinationId } = await insertDestination(api.db, { owner: i === 1 ? null : tenantId });
    for (const deliveryClass of [0, 1, 2])
      await insertLane(api.db, { tenantId, destinationId, class: deliveryClass, fresh: 1 });
  }
  expect(new Set(await walk(tenant, '/v1/destinations?page_size=2')).size).toBe(3);
  const lanes = await walk(tenant, '/v1/lanes?page_size=2');
  expect([lanes.length, new Set(lanes).size]).toEqual([9, 9]);
  expect((await tenant.get('/v1/lanes?cursor=x')).status).toBe(400);
});

async function walk(tenant: TestTenant, path: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await tenant.get(`${path}${cursor && `&cursor=${cursor}`}`);
    for (const { id, destination, class: deliveryClass } of body.data)
      found.push(id ?? `${destination.id} ${deliveryClass}`);
    cursor = body.next_cursor;
  }
  return found;
}
