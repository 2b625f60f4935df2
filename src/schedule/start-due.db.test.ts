import { afterAll, beforeAll, expect, test } from 'vitest';
import { createImpatientDatabase } from '../testing/impatient-database.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger } from '../testing/test-ledger.ts';
import { startDueCampaigns } from './start-due.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('a due campaign that somebody has locked keeps no other from starting, and starts when it is free', async () => {
  const { db } = database;
  const [locked, other] = [await createTestLedger(db), await createTestLedger(db)];
  await db.write("UPDATE campaigns SET state = 'scheduled', send_at = NOW(3) - INTERVAL 1 SECOND");
  await db.write('UPDATE campaigns SET send_at = send_at - INTERVAL 1 SECOND WHERE id = ?', [
    locked.campaignId,
  ]);
  const impatient = await createImpatientDatabase(database.url);
  const passedOver: number[] = [];
  const start = () => startDueCampaigns(impatient, 10, ({ campaignId }) => void passedOver.push(campaignId));
  await db.transaction(async (tx) => {
    const key = [locked.tenantId, locked.campaignId];
    await tx.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? FOR UPDATE', key);
    expect(await start()).toBe(1);
    expect(await start()).toBe(0);
  });
  expect(passedOver).toEqual([locked.campaignId, locked.campaignId]);
  const expanding = await db.rows("SELECT id FROM campaigns WHERE state = 'expanding'");
  expect(expanding).toEqual([{ id: other.campaignId }]);
  expect(await start()).toBe(1);
  await impatient.stop();
});
