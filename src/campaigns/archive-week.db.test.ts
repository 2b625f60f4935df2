import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger } from '../testing/test-ledger.ts';
import { archiveWeek, listArchivableParts } from './archive-week.ts';

let database: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'sluice-archive-'));
const path = join(folder, 'week.ndjson.gz');
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

test('a week is written once all of it is over, each delivery once, and no address', async () => {
  const { db } = database;
  const ledgers = [await createTestLedger(db, { chunks: 30, size: 300 }), await createTestLedger(db)];
  const [large, small] = ledgers as [(typeof ledgers)[0], (typeof ledgers)[0]];
  const { part } = large.key();
  await db.write('UPDATE campaigns SET next_chunk_no = IF(id = ?, 30, 1)', [large.campaignId]);
  await db.write("UPDATE campaigns SET state = 'sent' WHERE id = ?", [large.campaignId]);
  expect(await listArchivableParts(db, part + 1)).toEqual([]);
  await db.write("UPDATE campaigns SET state = 'cancelled' WHERE id = ?", [small.campaignId]);
  expect(await listArchivableParts(db, part + 1)).toEqual([part]);
  expect(await listArchivableParts(db, part)).toEqual([]);

  expect(await archiveWeek(db, part, path)).toBe(9_010);
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const ids = lines.map((line) => JSON.parse(line).id as string);
  expect(new Set(ids).size).toBe(9_010);
  expect(ids).toContain(formatDeliveryId({ ...large.key(29), seq: 299 }));
  expect(lines.join('')).not.toContain('email');
  expect(existsSync(`${path}.part`)).toBe(false);
});

test('a week that was dropped leaves no file', async () => {
  const gone = join(folder, 'gone.ndjson.gz');
  expect(await archiveWeek(database.db, 202001, gone)).toBe(0);
  expect([existsSync(gone), existsSync(`${gone}.part`)]).toEqual([false, false]);
});

test('a week that can’t be read leaves no file that looks whole', async () => {
  const broken = {
    ...database.db,
    rows: async () => {
      throw new Error('gone away');
    },
  };
  const other = join(folder, 'other.ndjson.gz');
  await expect(archiveWeek(broken, 1, other)).rejects.toThrow('gone away');
  expect(existsSync(other)).toBe(false);
});
