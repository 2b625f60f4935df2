/**
 * A grant that ends while the dispatcher puts its lane to sleep: whoever comes first, the lane is due when both are done. Nobody else would wake it, and
 * its campaign would wait for ever.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, leaseChunk, readLaneDueIn } from '../testing/test-ledger.ts';
import { endGrant } from './end-grant.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('the end of a grant wakes a lane that is being put to sleep, and neither has to begin anew', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db);
  const { tenantId, destinationId } = ledger.lane;
  const grant = await leaseChunk(db, ledger, 'me');
  const lane = 'WHERE tenant_id = ? AND destination_id = ? AND class = 2';
  let ending: ReturnType<typeof endGrant> | undefined;
  let tries = 0;
  await db.transaction(async (tx) => {
    tries++;
    await tx.rows(`SELECT 1 FROM lanes ${lane} FOR UPDATE`, [tenantId, destinationId]);
    ending ??= endGrant(db, grant, { owner: 'me', rules: { retryStepMs: 100 } });
    await waitForLockWait(db, tenantId);
    await tx.write(`UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NULL ${lane}`, [
      tenantId,
      destinationId,
    ]);
  });
  expect((await ending)?.wasOurs).toBe(true);
  expect(tries, 'by the key that has next_due_at the two deadlock, or the wake-up finds no row').toBe(1);
  expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
});
