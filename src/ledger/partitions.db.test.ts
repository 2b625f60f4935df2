import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { ensurePartitions, partOf } from './partitions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const weekMs = 7 * 86_400_000;

async function readParts(table: string): Promise<readonly string[]> {
  const rows = await database.db.rows<{ name: string }>(
    `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY PARTITION_ORDINAL_POSITION`,
    [table],
  );
  return rows.map((row) => row.name);
}

test('the weeks to come get partitions, over a year end, and again is harmless', async () => {
  const { db } = database;
  const start = Date.UTC(2026, 11, 14);
  await ensurePartitions(db, start, 4);
  const parts = await readParts('chunks');
  expect(parts.slice(-6)).toEqual(['p202651', 'p202652', 'p202653', 'p202701', 'p202702', 'p_max']);
  await ensurePartitions(db, start, 4);
  expect(await readParts('chunks')).toEqual(parts);
  expect(await readParts('deliveries')).toEqual(parts);
});

test('rows of a week without a partition move into theirs when it is made', async () => {
  const { db } = database;
  const later = Date.UTC(2027, 5, 1);
  await db.write(
    `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, due_at, size) VALUES (1, 1, 0, ?, 1, 2, NOW(3), 1)`,
    [partOf(later)],
  );
  await ensurePartitions(db, later, 1);
  const [row] = await db.rows(`SELECT COUNT(*) AS n FROM chunks PARTITION (p${partOf(later)})`);
  expect(row).toEqual({ n: 1 });
  expect(await readParts('chunks')).toContain(`p${partOf(later + weekMs)}`);
});
