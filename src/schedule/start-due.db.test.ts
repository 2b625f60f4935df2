import { afterAll, beforeAll, expect, test } from 'vitest';
import { createImpatientDatabase } from '../testing/impatient-database.ts';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, type TestLedger } from '../testing/test-ledger.ts';
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

test('a campaign that was scheduled for later since it was found due does not start', async () => {
  const { db } = database;
  const [first, later] = [await createTestLedger(db), await createTestLedger(db)];
  const change = ({ tenantId, campaignId }: TestLedger, assignment: string) =>
    db.write(`UPDATE campaigns SET ${assignment} WHERE tenant_id = ? AND id = ?`, [tenantId, campaignId]);
  await change(first, "state = 'scheduled', send_at = NOW(3) - INTERVAL 2 SECOND");
  await change(later, "state = 'scheduled', send_at = NOW(3) - INTERVAL 1 SECOND");
  let starting: Promise<number> | undefined;
  await db.transaction(async (tx) => {
    const key = [first.tenantId, first.campaignId];
    await tx.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? FOR UPDATE', key);
    starting = startDueCampaigns(db, 10);
    await waitForLockWait(db, first.campaignId);
    await change(later, 'send_at = NOW(3) + INTERVAL 1 DAY');
  });
  expect(await starting).toBe(1);
  const rows = await db.rows('SELECT state FROM campaigns WHERE id = ?', [later.campaignId]);
  expect(rows).toEqual([{ state: 'scheduled' }]);
});
