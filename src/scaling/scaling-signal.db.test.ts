/** From tables and paces to the numbers that an autoscaler reads: the leader's side and the API's. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId, type TenantId } from '../ids.ts';
import { insertDestination, insertLane } from '../pace-view/test-view.ts';
import type { DestinationLimits, Pace } from '../pacing/pace.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { waitFor } from '../testing/wait-for.ts';
import type { ScalingSettings } from './decide-pools.ts';
import { type PaceChanges, paceWith } from './pace-fixture.ts';
import { readScalingFacts } from './scaling-facts.ts';
import { createScalingMetrics } from './scaling-metrics.ts';
import { scalingRoutes } from './scaling-routes.ts';
import { createScalingSignal } from './scaling-signal.ts';

const drainSeconds = 10;
const pool = { min: 0, max: 50, drainSeconds, idleMs: 60_000, downAfterMs: 10_000, configuredRate: 100 };
const settings: ScalingSettings = {
  ...{ pools: { render: pool, send: pool }, fleetConnections: 100, statementsPerWorker: 4 },
};

let api: TestApi;
const paces = new Map<number, Pace>();
const limits = new Map<number, DestinationLimits>();

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ redis, config }) => scalingRoutes({ redis, prefix: config.REDIS_PREFIX }),
  });
});
beforeEach(async () => {
  for (const table of ['lanes', 'chunks', 'campaigns', 'leases', 'tenants'])
    await api.db.write(`DELETE FROM ${table}`);
  await api.redis.unlink(`${api.config.REDIS_PREFIX}:scaling`);
  paces.clear();
  limits.clear();
});
afterAll(() => api.stop());

const sources = () => ({
  db: api.db,
  paceOf: (id: number) => paces.get(id) ?? paceWith({ measuredPerSecond: 0 }),
  publishedPaces: async () => paces,
  paces: () => paces.values(),
  limitsOf: (id: number) => limits.get(id) ?? {},
  ...{ drainSeconds, aheadSeconds: 600 },
});

async function destination(pace: PaceChanges = {}, options: { transportId?: number; name?: string } = {}) {
  const made = await insertDestination(api.db, { owner: null, name: 'gmail', ...options });
  paces.set(made.destinationId, paceWith({ measuredPerSecond: 0, ...pace }));
  return made;
}

async function tenant(perSecond: number | null = null): Promise<TenantId> {
  const id = newId('tenant');
  await api.db.write("INSERT INTO tenants (id, name, per_second, created_at) VALUES (?, 'T', ?, NOW(3))", [
    id,
    perSecond,
  ]);
  return id;
}

test('due and outstanding work counts where a destination is open; what is shut, limited or due later does not', async () => {
  const tenantId = await tenant();
  const [open, shut, limited] = [
    await destination(),
    await destination({ breaker: 'open', windowMessages: 0, closedForMs: 60_000, limitedBy: 'breaker' }),
    await destination({ learntPerSecond: 7, limitedBy: 'learnt_rate' }),
  ];
  await insertLane(api.db, {
    tenantId,
    destinationId: open.destinationId,
    chunks: 50,
    fresh: 400,
    retry: 20,
    outstanding: 30,
    outstandingOf: 40,
  });
  await insertLane(api.db, { tenantId, destinationId: shut.destinationId, chunks: 3, fresh: 500 });
  await insertLane(api.db, { tenantId, destinationId: limited.destinationId, chunks: 3, fresh: 500 });
  const later = await destination();
  await insertLane(api.db, { tenantId, destinationId: later.destinationId, fresh: 500, dueInSeconds: 600 });
  const facts = await readScalingFacts(sources());
  expect(facts.sendableMessages).toBe(50 * 420 + 40 + 70);
  expect(facts.held).toEqual({ render: 0, send: 30 });
});

test('tenants, transports and quotas bound what counts', async () => {
  const [slow, quick] = [await tenant(3), await tenant()];
  const first = await destination();
  const second = await destination({}, { transportId: first.transportId, name: 'yahoo' });
  for (const { destinationId } of [first, second])
    await insertLane(api.db, { tenantId: slow, destinationId, fresh: 500 });
  expect((await readScalingFacts(sources())).sendableMessages).toBe(30);
  await insertLane(api.db, { tenantId: quick, destinationId: first.destinationId, fresh: 400 });
  expect((await readScalingFacts(sources())).sendableMessages).toBe(430);
  limits.set(first.destinationId, { perDay: 100 });
  expect((await readScalingFacts(sources())).sendableMessages).toBe(130);
  await api.db.write(`UPDATE transports SET limits = '{"perSecond":2}' WHERE id = ?`, [first.transportId]);
  expect((await readScalingFacts(sources())).sendableMessages).toBe(20);
});

test('campaigns that begin soon count by their estimate and their own rate, and what is expanded no more', async () => {
  const tenantId = await tenant();
  const { transportId, destinationId } = await destination();
  const campaign = (state: string, seconds: number, estimate: number, rest = {}) =>
    insertCampaign({ tenantId, transportId, state, seconds, estimate, ...rest });
  await campaign('scheduled', 300, 5_000);
  await campaign('scheduled', 300, 60_000, { perMinute: 60 });
  await campaign('scheduled', 900, 70_000);
  await campaign('expanding', -5, 4_000, { chunks: 6 });
  await campaign('sending', -5, 4_000);
  expect((await readScalingFacts(sources())).upcomingMessages).toBe(5_000 + 10 + 1_000);
  await api.db.write(`UPDATE transports SET limits = '{"perSecond":20}' WHERE id = ?`, [transportId]);
  expect((await readScalingFacts(sources())).upcomingMessages).toBe(200);
  paces.set(destinationId, paceWith({ learntPerSecond: 4 }));
  expect((await readScalingFacts(sources())).upcomingMessages).toBe(40);
});

test('live workers are told from leases; one process of everything counts for both pools', async () => {
  const names = ['m:send-1a', 'm:send-2b', 'm:render-3c', 'm:all-4d', 'm:api-5e', 'm:dispatcher-6f'];
  for (const name of names)
    await api.db.write(
      "INSERT INTO leases (name, owner, epoch, until) VALUES (?, 'x', 0, NOW(3) + INTERVAL 1 MINUTE)",
      [name],
    );
  await api.db.write(
    "INSERT INTO leases (name, owner, epoch, until) VALUES ('m:send-old', 'x', 0, NOW(3) - INTERVAL 1 SECOND)",
  );
  const { live, otherProcesses } = await readScalingFacts(sources());
  expect({ live, otherProcesses }).toEqual({ live: { render: 2, send: 3 }, otherProcesses: 2 });
});

test('the leader publishes for every API and for metrics; its successor goes on from there', async () => {
  const tenantId = await tenant();
  const { destinationId } = await destination();
  await insertLane(api.db, { tenantId, destinationId, chunks: 20, fresh: 500 });
  expect((await api.admin.get('/v1/platform/scaling')).status).toBe(503);
  expect((await api.anonymous.get('/v1/platform/scaling')).status).toBe(401);
  expect((await api.createTenant().then((one) => one.get('/v1/platform/scaling'))).status).toBe(403);

  const registry = createMetrics('test');
  await runSignal(registry, true);
  const { body } = await api.admin.get('/v1/platform/scaling');
  expect(body.pools.send).toMatchObject({ desired_workers: 2, reason: 'step', sendable_messages: 10_000 });
  expect(body.age_ms).toBeLessThan(10_000);
  expect(await registry.metrics()).toContain('sluice_scaling_desired_workers{pool="send",process="test"} 2');

  // Nothing waits any more: a new leader keeps what its predecessor asked for until that has held for a while.
  await api.db.write('DELETE FROM chunks');
  await runSignal(createMetrics('successor'), true);
  expect((await api.admin.get('/v1/platform/scaling')).body.pools.send).toMatchObject({
    desired_workers: 2,
    reason: 'settling',
  });

  const standby = createMetrics('standby');
  await runSignal(standby, false);
  expect(await standby.metrics()).not.toContain('sluice_scaling_desired_workers{');
});

test('old numbers are not answered', async () => {
  await runSignal(createMetrics('test'), true);
  await api.redis.pexpire(`${api.config.REDIS_PREFIX}:scaling`, 3_600_000 - 61_000);
  expect((await api.admin.get('/v1/platform/scaling')).status).toBe(503);
});

/** One pass. */
async function runSignal(registry: Metrics, isLeader: boolean): Promise<void> {
  let asked = 0;
  const lead = async () => {
    asked++;
    return isLeader;
  };
  const signal = createScalingSignal({
    ...{
      ...sources(),
      redis: api.redis,
      prefix: api.config.REDIS_PREFIX,
      clock: api.clock,
      log: silentLog,
      settings,
    },
    leadership: { lead, assertLeading: async () => undefined, resign: async () => undefined },
    ...{ metrics: createScalingMetrics(registry), everyMs: 60_000 },
  });
  await signal.start();
  await waitFor('a pass', async () => asked > 0);
  await signal.stop();
}

async function insertCampaign(campaign: {
  tenantId: TenantId;
  transportId: number;
  state: string;
  seconds: number;
  estimate: number;
  perMinute?: number;
  chunks?: number;
}): Promise<void> {
  const { tenantId, transportId, state, seconds, estimate, perMinute = null, chunks = 0 } = campaign;
  await api.db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, transport_id, audience, message, in_doubt_policy,
       deliver_within_s, estimated_recipients, per_minute, next_chunk_no, created_at, updated_at)
     VALUES (?, ?, 202647, 'C', 2, ?, NOW(3) + INTERVAL ? SECOND, ?, '{}', '{}', 'resend', 3600, ?, ?, ?, NOW(3), NOW(3))`,
    [tenantId, newId('campaign'), state, seconds, transportId, estimate, perMinute, chunks],
  );
}
