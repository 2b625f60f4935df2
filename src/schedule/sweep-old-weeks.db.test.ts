import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensurePartitions, partOf } from '../ledger/partitions.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { createOldWeeksSweep } from './sweep-old-weeks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const weekMs = 7 * 86_400_000;

async function readOldest(): Promise<string | null | undefined> {
  const row = await database.db.first<{ name: string | null }>(
    "SELECT MIN(PARTITION_NAME) AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'deliveries'",
  );
  return row?.name;
}

test('it goes on while there is something, then looks again in an hour; with 0 nothing ever goes', async () => {
  const { db } = database;
  let [wall, monotonic] = [Date.now(), 0];
  const clock = { now: () => wall, monotonic: () => monotonic };
  const sweepOf = (weeks: number) => createOldWeeksSweep({ db, clock, log: silentLog, weeks });
  await ensurePartitions(db, wall, 4);
  const first = `p${partOf(wall)}`;
  const sweep = sweepOf(2);
  expect(await sweep()).toBe(0);

  wall += 3 * weekMs;
  expect(await sweepOf(0)()).toBe(0);
  expect(await sweep()).toBe(0);
  expect(await readOldest()).toBe(first);

  monotonic += 3_600_000;
  expect([await sweep(), await sweep(), await sweep()]).toEqual([1, 1, 0]);
  expect(await readOldest()).toBe(`p${partOf(wall - 2 * weekMs)}`);
});
