import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, expireLease, leaseChunk, type TestLedger } from '../testing/test-ledger.ts';
import { endGrant } from './end-grant.ts';
import type { Grant } from './grant.ts';
import { recordIntent } from './intent.ts';
import { type Result, recordResults } from './outcome.ts';
import { takeOverExpired } from './takeover.ts';

let database: TestDatabase;
let ledger: TestLedger;
let grant: Grant;
let destinationId = 100;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  destinationId++;
  ledger = await createTestLedger(database.db, { size: 6, destinationId });
  grant = await leaseChunk(database.db, ledger, owner);
});

const owner = 'me';
const rules = { retryStepMs: 1 };
const isCounted = () => true;
const end = (one = grant) => endGrant(database.db, one, { owner, rules, isCounted });
const takeOver = () => takeOverExpired(database.db, rules, { limit: 10, isCounted });
const intend = (seqs: readonly number[], one = grant) =>
  recordIntent(database.db, { grant: one, owner, seqs, includedLists: [] });
const record = (states: readonly Result['state'][], one = grant) =>
  recordResults(
    database.db,
    one,
    states.map((state, seq) => ({ seq, state, replyCode: 0, reason: null, retryInMs: 0 })),
  );

async function attempts(): Promise<number> {
  const row = await database.db.first<{ n: number }>(
    'SELECT COALESCE(SUM(attempts), 0) AS n FROM destination_days WHERE destination_id = ? AND day = UTC_DATE()',
    [destinationId],
  );
  return Number(row?.n);
}

test('what was attempted counts, whatever became of it; what was called back does not', async () => {
  await intend([0, 1, 2, 3, 4]);
  await record(['sent', 'bounced', 'deferred', 'pending']);
  await end();
  // The fifth has no result, so it is in doubt; the sixth was never tried.
  expect(await attempts()).toBe(4);
});

test('each further attempt counts again, and only that one', async () => {
  await intend([0, 1]);
  await record(['deferred', 'sent']);
  await end();
  const again = await leaseChunk(database.db, ledger, owner);
  await intend([0], again);
  await record(['sent'], again);
  await end(again);
  expect(await attempts()).toBe(3);
});

test('a worker that dies has its attempts counted once, by whoever takes over; coming back changes nothing', async () => {
  await intend([0, 1, 2]);
  await record(['sent']);
  await expireLease(database.db, grant);
  await takeOver();
  expect(await attempts()).toBe(3);
  await record(['sent', 'sent', 'bounced']);
  expect(await end()).toEqual({ wasOurs: false });
  await takeOver();
  expect(await attempts()).toBe(3);
  const next = await leaseChunk(database.db, ledger, owner);
  await end(next);
  expect(await attempts()).toBe(3);
});

test('a grant whose end is rolled back has counted nothing', async () => {
  await intend([0]);
  await record(['sent']);
  const { db } = database;
  const failing = {
    ...db,
    transaction: (work: Parameters<typeof db.transaction>[0]) =>
      db.transaction(async (tx) => {
        await work(tx);
        throw new Error('died before the commit');
      }),
  } as typeof db;
  await expect(endGrant(failing, grant, { owner, rules, isCounted })).rejects.toThrow('died');
  expect(await attempts()).toBe(0);
  await end();
  expect(await attempts()).toBe(1);
});

test('grants that end at once add up', async () => {
  const wide = await createTestLedger(database.db, { size: 3, chunks: 8, destinationId });
  const grants = await Promise.all(
    Array.from({ length: 8 }, (_, no) => leaseChunk(database.db, wide, owner, no)),
  );
  for (const one of grants) {
    await intend([0, 1, 2], one);
    await record(['sent', 'sent', 'sent'], one);
  }
  await Promise.all(grants.map((one) => end(one)));
  expect(await attempts()).toBe(24);
});

test('a destination without a quota has no row', async () => {
  await intend([0]);
  await record(['sent']);
  await endGrant(database.db, grant, { owner, rules, isCounted: () => false });
  expect(await attempts()).toBe(0);
});
