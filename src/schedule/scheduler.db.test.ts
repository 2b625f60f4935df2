import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CampaignId, newId, type TenantId } from '../ids.ts';
import { systemClock } from '../platform/clock.ts';
import { createLeadership } from '../platform/leadership.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { Database } from '../platform/mysql.ts';
import { assertCounts } from '../testing/assert-ledger.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createDestinationIds } from './destination-ids.ts';
import { firstPageSize, pageSize } from './expand-page.ts';
import { createScheduleMetrics } from './schedule-metrics.ts';
import { createScheduler } from './scheduler.ts';

let database: TestDatabase;
let tenantId: TenantId;
let transportId: number;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  const { db } = database;
  for (const table of ['campaigns', 'campaign_counters', 'chunks', 'deliveries', 'lanes', 'leases'])
    await db.write(`DELETE FROM ${table}`);
  tenantId = newId('tenant');
  transportId = newId('transport');
  await db.write(
    `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, destination_mode, created_at, updated_at)
     VALUES (?, ?, 'sink', 'smtp', '{}', '{}', 'transport', NOW(3), NOW(3))`,
    [transportId, tenantId],
  );
});
afterAll(() => database.drop());

async function addMembers(list: number, n: number): Promise<void> {
  const { db } = database;
  for (let at = 0; at < n; at += 5_000) {
    const rows = Array.from({ length: Math.min(5_000, n - at) }, (_, i) => {
      const hash = Buffer.alloc(16);
      hash.writeUInt32BE(list, 4);
      hash.writeUInt32BE(at + i);
      return [tenantId, `${list}-${at + i}@example.com`, hash, new Date(), new Date()];
    });
    await db.write('INSERT INTO profiles (tenant_id, email, email_hash, created_at, updated_at) VALUES ?', [
      rows,
    ]);
  }
  await db.write(
    `INSERT INTO list_members (tenant_id, list_id, profile_id, added_at)
     SELECT tenant_id, ?, id, NOW(3) FROM profiles WHERE tenant_id = ? AND email LIKE CONCAT(?, '-%')`,
    [list, tenantId, list],
  );
}

async function schedule(
  list: number,
  overrides: { transport?: number; audience?: string; sendIn?: number } = {},
) {
  const id = newId('campaign');
  await database.db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, transport_id, audience, message, in_doubt_policy,
       deliver_within_s, created_at, updated_at)
     VALUES (?, ?, 202601, 'Test', 2, 'scheduled', NOW(3) + INTERVAL ? SECOND, ?, ?, '{}', 'resend', 3600, NOW(3), NOW(3))`,
    [
      tenantId,
      id,
      overrides.sendIn ?? -1,
      overrides.transport ?? transportId,
      overrides.audience ?? JSON.stringify({ includedLists: [list], excludedLists: [] }),
    ],
  );
  return id;
}

const stateOf = async (id: CampaignId) =>
  (await database.db.first<{ state: string }>('SELECT state FROM campaigns WHERE id = ?', [id]))?.state;
const reached = (id: CampaignId, state: string) =>
  waitFor(`${state}`, async () => (await stateOf(id)) === state, 15_000);

async function withSchedulers(
  n: number,
  work: () => Promise<unknown>,
  db: Database = database.db,
): Promise<void> {
  const schedulers = Array.from({ length: n }, (_, i) => {
    const leadership = createLeadership({
      db,
      clock: systemClock,
      name: 'scheduler',
      owner: `scheduler-${i}`,
    });
    const metrics = createScheduleMetrics(createMetrics('test'));
    return createScheduler({
      db,
      log: silentLog,
      leadership,
      destinationIds: createDestinationIds(db),
      metrics,
    });
  });
  for (const scheduler of schedulers) await scheduler.start();
  try {
    await work();
  } finally {
    for (const scheduler of schedulers) await scheduler.stop();
  }
}

test('a small campaign is expanded beside a large one, not behind it', async () => {
  await addMembers(1, 4 * pageSize);
  await addMembers(2, 10);
  const large = await schedule(1);
  const small = await schedule(2);
  let seen: { done: number; cursor: number } | undefined;
  const { db } = database;
  const watching: Database = {
    ...db,
    async transaction(work) {
      const result = await db.transaction(work);
      const done = (await stateOf(small)) === 'sending' ? 1 : 0;
      const pages = await db.first<{ n: number }>('SELECT next_chunk_no AS n FROM campaigns WHERE id = ?', [
        large,
      ]);
      if (done && !seen) seen = { done, cursor: pages?.n ?? 0 };
      return result;
    },
  };
  await withSchedulers(
    1,
    async () => {
      await reached(small, 'sending');
      await reached(large, 'sending');
    },
    watching,
  );
  expect(seen?.cursor, 'chunks of the large one when the small one was done').toBeLessThanOrEqual(
    (firstPageSize + pageSize) / 500,
  );
  await assertCounts(db);
});

test('two schedulers at once expand nobody twice', async () => {
  await addMembers(1, pageSize + 100);
  const id = await schedule(1);
  await withSchedulers(2, () => reached(id, 'sending'));
  const row = await database.db.first(
    'SELECT COUNT(*) AS n, COUNT(DISTINCT profile_id) AS profiles FROM deliveries WHERE campaign_id = ?',
    [id],
  );
  expect(row).toEqual({ n: pageSize + 100, profiles: pageSize + 100 });
  await assertCounts(database.db);
});

test('a campaign that can not be expanded keeps no other from it; one without a transport fails', async () => {
  await addMembers(1, 10);
  const broken = await schedule(1, { audience: '{"includedLists":["no number"],"excludedLists":[[[]]]}' });
  const homeless = await schedule(1, { transport: 1 });
  const good = await schedule(1);
  await withSchedulers(1, async () => {
    await reached(homeless, 'failed');
    await reached(good, 'sending');
  });
  expect(await stateOf(broken)).not.toBe('scheduled');
});

test('what is not due, or paused, waits', async () => {
  await addMembers(1, 10);
  const later = await schedule(1, { sendIn: 3_600 });
  const paused = await schedule(1);
  await database.db.write('UPDATE campaigns SET paused_at = NOW(3) WHERE id = ?', [paused]);
  const due = await schedule(1);
  await withSchedulers(1, () => reached(due, 'sending'));
  expect([await stateOf(later), await stateOf(paused)]).toEqual(['scheduled', 'scheduled']);
});

test('past its deadline nobody of a campaign is expanded any more', async () => {
  await addMembers(1, 10);
  const overdue = await schedule(1, { sendIn: -7_200 });
  const due = await schedule(1);
  await withSchedulers(1, () => reached(due, 'sending'));
  expect(await stateOf(overdue)).toBe('expanding');
  expect(await database.db.rows('SELECT 1 FROM chunks WHERE campaign_id = ?', [overdue])).toEqual([]);
});
