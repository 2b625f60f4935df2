import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyLedger } from '../ledger/crash-fixture.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { recordIntent } from '../ledger/intent.ts';
import { recordResults } from '../ledger/outcome.ts';
import { lockChunk } from '../ledger/recount.ts';
import type { Database } from '../platform/mysql.ts';
import { assertCounts } from '../testing/assert-ledger.ts';
import { createImpatientDatabase } from '../testing/impatient-database.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, leaseChunk, readStates, type TestLedger } from '../testing/test-ledger.ts';
import { completeAmong, completeCampaigns, sweepStoppedCampaigns } from './complete-campaigns.ts';
import { failUnexpanded } from './fail-unexpanded.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const rules = { retryStepMs: 100 };
const change = ({ campaignId }: TestLedger, assignment: string) =>
  database.db.write(`UPDATE campaigns SET ${assignment} WHERE id = ?`, [campaignId]);
const read = ({ campaignId }: TestLedger) =>
  database.db.first<{ state: string; settling: number }>(
    'SELECT state, settling FROM campaigns WHERE id = ?',
    [campaignId],
  );

async function sendChunk(ledger: TestLedger, chunkNo: number, size: number): Promise<void> {
  const { db } = database;
  const grant = await leaseChunk(db, ledger, 'me', chunkNo);
  const seqs = Array.from({ length: size }, (_, seq) => seq);
  await recordIntent(db, { grant, owner: 'me', seqs, includedLists: [] });
  await recordResults(
    db,
    grant,
    seqs.map((seq) => ({ seq, state: 'sent' as const, replyCode: 250, reason: null })),
  );
  await endGrant(db, grant, { owner: 'me', rules });
}

test('a campaign is sent when it is expanded and its last chunk is done, not before', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 2, size: 2 });
  await change(ledger, "expansion_done = 0, state = 'expanding'");
  await sendChunk(ledger, 0, 2);
  expect(await completeCampaigns(db)).toEqual([]);
  await change(ledger, "expansion_done = 1, state = 'sending'");
  expect(await completeCampaigns(db)).toEqual([]);
  await sendChunk(ledger, 1, 2);
  expect(await completeCampaigns(db)).toEqual([{ tenantId: ledger.tenantId, campaignId: ledger.campaignId }]);
  expect(await read(ledger)).toMatchObject({ state: 'sent' });
  expect(await completeCampaigns(db)).toEqual([]);
});

test('of campaigns that have drained, those are sent whose every chunk is done', async () => {
  const { db } = database;
  const [done, open] = [
    await createTestLedger(db, { size: 2 }),
    await createTestLedger(db, { chunks: 2, size: 2 }),
  ];
  for (const ledger of [done, open]) await sendChunk(ledger, 0, 2);
  const keys = [done, open].map(({ tenantId, campaignId }) => ({ tenantId, campaignId }));
  expect(await completeAmong(db, [])).toEqual([]);
  expect(await completeAmong(db, keys)).toEqual([keys[0]]);
  expect(await read(done)).toMatchObject({ state: 'sent' });
  expect(await completeAmong(db, keys)).toEqual([]);
  await db.write('DELETE FROM campaigns');
});

test('a campaign without recipients is sent', async () => {
  const ledger = await createTestLedger(database.db, { chunks: 0 });
  expect(await completeCampaigns(database.db)).toHaveLength(1);
  expect(await read(ledger)).toMatchObject({ state: 'sent' });
});

test('a cancelled campaign settles while the last grant is on the wire, and is settled when that has ended', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 2, size: 2 });
  const grant = await leaseChunk(db, ledger, 'me', 1);
  await change(ledger, "state = 'cancelled', settling = 1");
  expect(await sweepStoppedCampaigns(db)).toBe(1);
  expect(await sweepStoppedCampaigns(db)).toBe(0);
  expect(await read(ledger)).toEqual({ state: 'cancelled', settling: 1 });
  await endGrant(db, grant, { owner: 'me', rules });
  expect(await sweepStoppedCampaigns(db)).toBe(1);
  await sweepStoppedCampaigns(db);
  expect(await read(ledger)).toEqual({ state: 'cancelled', settling: 0 });
  expect(await readStates(db, ledger.key(1))).toEqual(['cancelled', 'cancelled']);
  await assertCounts(db);
});

test('past the deadline of a campaign that is expanded its rest expires, and it is sent', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 2, size: 2 });
  await change(ledger, 'deadline_at = NOW(3) - INTERVAL 1 SECOND');
  expect(await sweepStoppedCampaigns(db)).toBe(2);
  expect(await sweepStoppedCampaigns(db)).toBe(0);
  expect(await completeCampaigns(db)).toHaveLength(1);
  expect(await readStates(db, ledger.key())).toEqual(['expired', 'expired']);
  await assertCounts(db);
});

test('what a failed campaign has left is cancelled before its deadline, and has expired after it', async () => {
  const { db } = database;
  const [early, late] = [await createTestLedger(db, { size: 1 }), await createTestLedger(db, { size: 1 })];
  await change(early, "state = 'failed', settling = 1");
  await change(late, "state = 'failed', settling = 1, deadline_at = NOW(3)");
  await sweepStoppedCampaigns(db);
  expect(await readStates(db, early.key())).toEqual(['cancelled']);
  expect(await readStates(db, late.key())).toEqual(['expired']);
  await assertCounts(db);
});

test('many that were cancelled at once share one pass', async () => {
  const { db } = database;
  const ledgers = [];
  for (let i = 0; i < 5; i++) ledgers.push(await createTestLedger(db, { chunks: 60, size: 1 }));
  for (const ledger of ledgers) await change(ledger, "state = 'cancelled', settling = 1");
  const swept = await sweepStoppedCampaigns(db);
  expect(swept).toBeLessThanOrEqual(200);
  for (const ledger of ledgers) expect((await readStates(db, ledger.key(0)))[0]).toBe('cancelled');
});

describe('while somebody holds', () => {
  let impatient: Database;
  beforeAll(async () => {
    impatient = await createImpatientDatabase(database.url);
  });
  beforeEach(() => emptyLedger(database.db));
  afterAll(() => impatient.stop());

  /** The campaign's row, as an intent holds it, or a process that is frozen. */
  const whileHeld = (held: TestLedger, how: string, work: () => Promise<unknown>) =>
    database.db.transaction(async (tx) => {
      const key = [held.tenantId, held.campaignId];
      await tx.first(`SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? ${how}`, key);
      await work();
    });

  test('a campaign that expands in time, those that are overdue are ended without waiting for it', async () => {
    const { db } = database;
    const [inTime, overdue] = [await createTestLedger(db), await createTestLedger(db)];
    await change(inTime, "state = 'expanding', expansion_done = 0");
    await change(overdue, "state = 'expanding', expansion_done = 0, deadline_at = NOW(3)");
    await whileHeld(inTime, 'LOCK IN SHARE MODE', async () => {
      expect(await failUnexpanded(impatient)).toHaveLength(1);
      expect(await sweepStoppedCampaigns(impatient)).toBe(1);
    });
    expect(await readStates(db, overdue.key(0))).toContain('expired');
    expect(await read(inTime)).toMatchObject({ state: 'expanding' });
  });

  test('one that is overdue, and one that is done, the others have their turn', async () => {
    const { db } = database;
    const overdue = [await createTestLedger(db, { size: 1 }), await createTestLedger(db, { size: 1 })];
    for (const ledger of overdue) await change(ledger, "state = 'expanding', deadline_at = NOW(3)");
    const done = [await createTestLedger(db, { chunks: 0 }), await createTestLedger(db, { chunks: 0 })];
    const passedOver: number[] = [];
    const note = ({ campaignId }: { campaignId: number }) => passedOver.push(campaignId);
    for (const [sweep, [held, other]] of [
      [failUnexpanded, overdue as [TestLedger, TestLedger]],
      [completeCampaigns, done as [TestLedger, TestLedger]],
    ] as const) {
      await whileHeld(held, 'FOR UPDATE', async () =>
        expect(await sweep(impatient, note)).toMatchObject([{ campaignId: other.campaignId }]),
      );
    }
    expect(passedOver).toEqual([overdue[0]?.campaignId, done[0]?.campaignId]);
  });

  test('a chunk of one that was cancelled, the others are cancelled to their end', async () => {
    const { db } = database;
    const [held, other] = [await createTestLedger(db, { chunks: 3 }), await createTestLedger(db)];
    for (const ledger of [held, other]) await change(ledger, "state = 'cancelled', settling = 1");
    const passedOver: unknown[] = [];
    await db.transaction(async (tx) => {
      await lockChunk(tx, held.key(0));
      const sweep = () => sweepStoppedCampaigns(impatient, (of) => passedOver.push(of));
      expect(await sweep()).toBe(3);
      expect(await read(other)).toEqual({ state: 'cancelled', settling: 1 });
      expect(await sweep()).toBe(0);
      expect(await read(other)).toEqual({ state: 'cancelled', settling: 0 });
    });
    expect(passedOver[0]).toEqual(held.key(0));
    expect(await readStates(db, held.key(2))).toContain('cancelled');
    expect(await readStates(db, held.key(0))).toContain('pending');
    expect(await sweepStoppedCampaigns(db)).toBe(1);
  });
});
