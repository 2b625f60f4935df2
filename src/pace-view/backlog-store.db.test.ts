import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, type TenantId } from '../ids.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  type Backlog,
  type ChunkRange,
  countBacklogs,
  destinationRange,
  laneRange,
} from './backlog-store.ts';
import { countReads, insertDestination, insertLane } from './test-view.ts';

let database: TestDatabase;
let tenantId: TenantId;
let huge: number;

beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = newId('tenant');
  ({ destinationId: huge } = await insertDestination(database.db, { owner: tenantId }));
  await insertLane(database.db, { tenantId, destinationId: huge, chunks: 20_000, fresh: 500 });
}, 60_000);
afterAll(() => database.drop());

test('a backlog of up to 200 chunks of each kind is exact', async () => {
  const { destinationId } = await insertDestination(database.db, { owner: tenantId });
  await insertLane(database.db, { tenantId, destinationId, chunks: 200, fresh: 3 });
  await insertLane(database.db, { tenantId, destinationId, chunks: 7, retry: 11 });
  const expected = { fresh: 600, retry: 77, isEstimate: false };
  expect(await countBacklogs(database.db, [laneRange(tenantId, destinationId, 2)])).toEqual([expected]);
  expect(await countBacklogs(database.db, [destinationRange(destinationId)])).toEqual([expected]);
});

test('a backlog of 20,000 chunks is estimated from 200 rows and its index entries', async () => {
  const { backlogs, rowsRead } = await measure([laneRange(tenantId, huge, 2)]);
  expect(backlogs).toEqual([{ fresh: 10_000_000, retry: 0, isEstimate: true }]);
  expect(rowsRead).toBeLessThan(20_500);
});

test('what one call reads is bounded, however many lanes are huge', async () => {
  const ranges = Array.from({ length: 40 }, () => laneRange(tenantId, huge, 2));
  const { backlogs, rowsRead } = await measure(ranges);
  // A fortieth of 200,000 entries each: 5,000 chunks, so that it says less than there is, and that it is an estimate.
  expect(backlogs[39]).toEqual({ fresh: 2_500_000, retry: 0, isEstimate: true });
  expect(rowsRead).toBeLessThan(200_000 + 40 * 450);
});

async function measure(ranges: readonly ChunkRange[]) {
  return database.db.transaction(async (tx) => {
    let backlogs: readonly Backlog[] = [];
    const rowsRead = await countReads(tx, async () => {
      backlogs = await countBacklogs(tx, ranges);
    });
    return { backlogs, rowsRead };
  });
}
