/** What the reads cost: bounded, however much waits. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../ids.ts';
import { countReads, insertDestination, insertLane } from '../pace-view/test-view.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { readDueDestinations, readDueWork } from './scaling-store.ts';

let api: TestApi;
let ids: readonly number[];

/** One lane of 60,000 chunks, in fifty destinations of twenty lanes with a chunk or two. */
beforeAll(async () => {
  api = await startTestApi();
  const made: number[] = [];
  for (let i = 0; i < 50; i++) {
    const { destinationId } = await insertDestination(api.db, { owner: null, name: `p${i}` });
    made.push(destinationId);
  }
  ids = made;
  const tenants = Array.from({ length: 20 }, () => newId('tenant'));
  const lanes = ids.flatMap((id) => tenants.map((tenantId) => [tenantId, id, 2]));
  await api.db.write(
    `INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES ${lanes.map(() => '(?, ?, ?, NOW(3))').join(', ')}`,
    lanes.flat(),
  );
  await insertLane(api.db, { tenantId: tenants[0]!, destinationId: ids[0]!, chunks: 60_000, fresh: 500 });
  for (const destinationId of ids.slice(1, 5))
    await insertLane(api.db, { tenantId: tenants[1]!, destinationId, chunks: 30, fresh: 100 });
  await api.db.write('ANALYZE TABLE lanes, chunks');
});
afterAll(() => api.stop());

test('destinations with due lanes are found in a step for each', async () => {
  const reads = await api.db.transaction((tx) => countReads(tx, () => readDueDestinations(tx)));
  expect(reads).toBeLessThan(4 * ids.length);
  expect([...(await readDueDestinations(api.db))].sort()).toEqual([...ids].sort());
});

test('a lane of thirty million is read as deep as it is of use, and hides none of the others', async () => {
  const due = await readDueWork(api.db, ids);
  const messages = (i: number) => due.get(ids[i]!)?.reduce((sum, work) => sum + work.messages, 0) ?? 0;
  expect(ids.map((_, i) => messages(i)).slice(0, 6)).toEqual([10_000_000, 3_000, 3_000, 3_000, 3_000, 0]);
  const reads = await api.db.transaction((tx) => countReads(tx, () => readDueWork(tx, ids)));
  // 20,000 chunks at the last look, 2,000 and 200 before; each is read, copied and grouped. Measured: 73,000 reads in 47 ms.
  expect(reads).toBeLessThan(100_000);
});
