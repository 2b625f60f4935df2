import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyReport } from '../feedback/apply-report.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, type TestLedger } from '../testing/test-ledger.ts';
import type { ChunkKey } from './delivery-id.ts';
import { ensurePartitions, partOf } from './partitions.ts';
import { dropOldPartition } from './retention.ts';

let database: TestDatabase;
let start: number;
const weekMs = 7 * 86_400_000;
const now = Date.now();
const weeks = 3;

/** Partitions of ten weeks, the first of which is nine weeks ago. */
beforeAll(async () => {
  database = await createTestDatabase();
  start = now - 9 * weekMs;
  for (const table of ['chunks', 'deliveries']) {
    const ranges = Array.from({ length: 10 }, (_, week) => partOf(start + week * weekMs));
    const partitions = ranges.map((part) => `PARTITION p${part} VALUES LESS THAN (${part + 1})`);
    await database.db.write(
      `ALTER TABLE ${table} PARTITION BY RANGE (part) (${partitions.join(', ')}, PARTITION p_max VALUES LESS THAN MAXVALUE)`,
    );
  }
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.write('DELETE FROM campaigns');
});

/** A campaign of some weeks ago, over since then, with one chunk of ten. */
async function createOld(weeksAgo: number, finishedWeeksAgo = weeksAgo): Promise<TestLedger & ChunkKey> {
  const { db } = database;
  const ledger = await createTestLedger(db);
  const part = partOf(now - weeksAgo * weekMs);
  for (const table of ['campaigns', 'chunks', 'deliveries'])
    await db.write(
      `UPDATE ${table} SET part = ? WHERE tenant_id = ? AND ${table === 'campaigns' ? 'id' : 'campaign_id'} = ?`,
      [part, ledger.tenantId, ledger.campaignId],
    );
  await db.write(
    "UPDATE campaigns SET state = 'sent', finished_at = NOW(3) - INTERVAL ? WEEK - INTERVAL 1 HOUR WHERE id = ?",
    [finishedWeeksAgo, ledger.campaignId],
  );
  return { ...ledger, ...ledger.key(), part };
}

async function dropAll(): Promise<string[]> {
  const dropped: string[] = [];
  for (;;) {
    const retired = await dropOldPartition(database.db, { nowMs: now, weeks });
    if (retired.kind !== 'dropped') return dropped;
    dropped.push(`${retired.table} ${retired.part}`);
  }
}

async function countRows(table: string, { campaignId }: TestLedger): Promise<number> {
  const row = await database.db.first<{ n: number }>(
    `SELECT COUNT(*) AS n FROM ${table} WHERE campaign_id = ?`,
    [campaignId],
  );
  return row?.n as number;
}

const week = (weeksAgo: number) => partOf(now - weeksAgo * weekMs);

test('weeks go that are old and over, chunks first, and nothing of the others does', async () => {
  const old = await createOld(9);
  const running = await createOld(7);
  const overLately = await createOld(6, 1);
  const young = await createOld(2);
  await database.db.write("UPDATE campaigns SET state = 'sending', finished_at = NULL WHERE id = ?", [
    running.campaignId,
  ]);
  const gone = [9, 8, 5, 4].flatMap((ago) => [`chunks ${week(ago)}`, `deliveries ${week(ago)}`]);
  expect(await dropAll()).toEqual(gone);
  expect([await countRows('chunks', old), await countRows('deliveries', old)]).toEqual([0, 0]);
  for (const kept of [running, overLately, young])
    expect([await countRows('chunks', kept), await countRows('deliveries', kept)]).toEqual([1, 10]);
  expect(await countRows('campaign_counters', old)).toBe(8);

  // A report about what was dropped is answered, and changes nothing.
  const late = {
    key: { ...old, seq: 3 },
    report: { kind: 'delivered' },
    rules: { retryStepMs: 30_000 },
  } as const;
  expect(await applyReport(database.db, late)).toBe('gone');
});

test('a week that is settling is kept', async () => {
  const settling = await createOld(7);
  await database.db.write("UPDATE campaigns SET state = 'cancelled', settling = 1 WHERE id = ?", [
    settling.campaignId,
  ]);
  expect(await dropAll()).not.toContain(`chunks ${week(7)}`);
  expect(await countRows('deliveries', settling)).toBe(10);
});

test('while somebody holds the table it gives up, and who came behind it goes on; then it is dropped', async () => {
  const { db, url } = database;
  const kept = await createOld(2);
  const holder = await createConnection(url);
  await holder.query('START TRANSACTION');
  await holder.query('SELECT 1 FROM chunks LIMIT 1');
  const dropping = dropOldPartition(db, { nowMs: now, weeks });
  // Waits behind the one that waits, no longer than that one does.
  await db.write('UPDATE chunks SET owner = ? WHERE campaign_id = ?', ['me', kept.campaignId]);
  expect(await dropping).toMatchObject({ kind: 'busy', table: 'chunks' });
  await holder.query('COMMIT');
  await holder.end();
  expect((await dropAll()).length).toBeGreaterThan(0);
  const setting = await db.first<{ own: number; all: number }>(
    'SELECT @@session.lock_wait_timeout AS own, @@global.lock_wait_timeout AS `all`',
  );
  expect(setting?.own).toBe(setting?.all);
});

test('without an old week nothing is asked or dropped, and a week that lost its partition is found in the next', async () => {
  expect(await dropOldPartition(database.db, { nowMs: now, weeks })).toEqual({ kind: 'none' });
  const stray = await createOld(9);
  await database.db.write("UPDATE campaigns SET state = 'sending' WHERE id = ?", [stray.campaignId]);
  expect(await countRows('deliveries', stray)).toBe(10);
  await dropOldPartition(database.db, { nowMs: now + 2 * weekMs, weeks });
  expect(await countRows('deliveries', stray)).toBe(10);
  await ensurePartitions(database.db, now, 2);
});
