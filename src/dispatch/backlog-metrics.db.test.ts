import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Leadership } from '../platform/leadership.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { alwaysLeading, createTestLedger } from '../testing/test-ledger.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createBacklogMetrics } from './backlog-metrics.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('the leader tells backlog and waiting by class; who leads no more, nothing', async () => {
  const { db } = database;
  const { tenantId } = await createTestLedger(db, { chunks: 3, size: 10 });
  const paused = await createTestLedger(db, { chunks: 1, size: 10, destinationId: 8 });
  await db.write('UPDATE campaigns SET paused_at = NOW(3) WHERE id = ?', [paused.campaignId]);
  await db.write('UPDATE lanes SET next_due_at = NOW(3) - INTERVAL 90 SECOND WHERE tenant_id = ?', [
    tenantId,
  ]);
  await db.write(
    'INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES (?, 9, 0, NOW(3) + INTERVAL 90 SECOND)',
    [tenantId],
  );
  let isLeading = true;
  const leadership: Leadership = { ...alwaysLeading, lead: async () => isLeading };
  const registry = createMetrics('test');
  const loop = createBacklogMetrics({ db, log: silentLog, leadership, registry, everyMs: 20 });
  const figures = async () =>
    (await registry.metrics()).split('\n').filter((line) => /^sluice_dispatch_/.test(line));
  await loop.start();
  try {
    await waitFor('figures', async () => (await figures()).length === 6);
    const text = (await figures()).join('\n');
    expect(text).toMatch(/backlog_messages\{class="campaign",.*\} 30$/m);
    expect(text).toMatch(/backlog_messages\{class="transactional",.*\} 0$/m);
    expect(text).toMatch(/oldest_due_seconds\{class="campaign",.*\} 9\d\./m);
    expect(text).toMatch(/oldest_due_seconds\{class="transactional",.*\} 0$/m);
    isLeading = false;
    await waitFor('no figures', async () => (await figures()).length === 0);
  } finally {
    await loop.stop();
  }
});
