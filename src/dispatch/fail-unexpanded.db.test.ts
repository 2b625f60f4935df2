import { afterAll, beforeAll, expect, test } from 'vitest';
import { readProgress } from '../campaigns/progress-store.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { recordIntent } from '../ledger/intent.ts';
import { recordResults } from '../ledger/outcome.ts';
import { assertCounts } from '../testing/assert-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, leaseChunk, readStates, type TestLedger } from '../testing/test-ledger.ts';
import { completeCampaigns, sweepStoppedCampaigns } from './complete-campaigns.ts';
import { failUnexpanded } from './fail-unexpanded.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const expanding = "state = 'expanding', expansion_done = 0, estimated_recipients = 9000";
const change = ({ campaignId }: TestLedger, assignment: string) =>
  database.db.write(`UPDATE campaigns SET ${assignment} WHERE id = ?`, [campaignId]);
const read = ({ campaignId }: TestLedger) =>
  database.db.first<{ state: string; settling: number; paused: number; failure: string | null }>(
    'SELECT state, settling, paused_at IS NOT NULL AS paused, failure FROM campaigns WHERE id = ?',
    [campaignId],
  );

/** A grant of the chunk's two messages, of which the second may be tried again. */
async function sendHalf(ledger: TestLedger, chunkNo: number): Promise<void> {
  const { db } = database;
  const grant = await leaseChunk(db, ledger, 'me', chunkNo);
  await recordIntent(db, { grant, owner: 'me', seqs: [0, 1], includedLists: [] });
  const reply = { replyCode: 250, reason: null };
  await recordResults(db, grant, [
    { seq: 0, state: 'sent', ...reply },
    { seq: 1, state: 'deferred', retryInMs: 60_000, ...reply },
  ]);
  await endGrant(db, grant, { owner: 'me', rules: { retryStepMs: 100 } });
}

test('a campaign whose audience is not expanded by its deadline fails and is never sent; its rest expires', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 2, size: 2 });
  await sendHalf(ledger, 0);
  await change(ledger, `${expanding}, deadline_at = NOW(3)`);
  const failure =
    'the deadline passed while the audience was being expanded: 4 of about 9000 recipients were in by then, and the others get no message';
  const { tenantId, campaignId } = ledger;
  expect(await failUnexpanded(db)).toEqual([{ tenantId, campaignId, failure }]);
  expect(await read(ledger)).toEqual({ state: 'failed', settling: 1, paused: 0, failure });
  expect(await sweepStoppedCampaigns(db)).toBe(2);
  await sweepStoppedCampaigns(db);
  expect(await completeCampaigns(db)).toEqual([]);
  expect(await readStates(db, ledger.key(0))).toEqual(['sent', 'expired']);
  expect(await readStates(db, ledger.key(1))).toEqual(['expired', 'expired']);
  expect(await readProgress(db, { tenantId, id: campaignId })).toMatchObject({
    ...{ state: 'failed', isSettling: false, isTotalFinal: false },
    ...{ counts: { sent: 1, expired: 3 }, finishedAt: expect.any(Date) },
  });
  expect(await failUnexpanded(db)).toEqual([]);
  await assertCounts(db);
});

test('also one that is paused, and one of which nobody was expanded; one in time goes on', async () => {
  const { db } = database;
  const paused = await createTestLedger(db, { size: 1 });
  await change(paused, `${expanding}, deadline_at = NOW(3), paused_at = NOW(3)`);
  const late = await createTestLedger(db, { chunks: 0 });
  await change(late, `${expanding}, deadline_at = NOW(3)`);
  const inTime = await createTestLedger(db, { size: 1 });
  await change(inTime, expanding);
  const failed = await failUnexpanded(db);
  expect(new Set(failed.map(({ campaignId }) => campaignId))).toEqual(
    new Set([paused.campaignId, late.campaignId]),
  );
  expect(await read(paused)).toMatchObject({ state: 'failed', paused: 0 });
  expect(await read(late)).toMatchObject({ failure: expect.stringContaining('0 of about 9000') });
  expect(await read(inTime)).toMatchObject({ state: 'expanding', failure: null });
});
