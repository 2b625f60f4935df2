import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { assertCounts } from '../testing/assert-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  dispatchChunk,
  expireLease,
  leaseChunk,
  readChunk,
  readLaneDueIn,
  readStates,
  type TestLedger,
} from '../testing/test-ledger.ts';
import { endGrant } from './end-grant.ts';
import type { Grant } from './grant.ts';
import { recordIntent } from './intent.ts';
import { recountChunk } from './late-truth.ts';
import { type Result, recordResults } from './outcome.ts';
import { chunkStates } from './states.ts';
import { takeOverExpired } from './takeover.ts';

let database: TestDatabase;
let ledger: TestLedger;
let grant: Grant;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  ledger = await createTestLedger(database.db, { size: 4 });
  grant = await leaseChunk(database.db, ledger, owner);
  await database.db.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [ledger.tenantId]);
});

const owner = 'me';
const rules = { retryStepMs: 1_000 };

async function send(states: readonly Result['state'][], retryInMs?: number): Promise<void> {
  const { db } = database;
  await recordIntent(db, { grant, owner, seqs: states.map((_, seq) => seq), includedLists: [] });
  const wait = retryInMs === undefined ? {} : { retryInMs };
  await recordResults(
    db,
    grant,
    states.map((state, seq) => ({ seq, state, replyCode: 0, reason: null, ...wait })),
  );
}

const end = (holdMs = 0) => endGrant(database.db, grant, { owner, rules, holdMs, laneHoldMs: holdMs });

test('a chunk whose rows are all settled is done', async () => {
  await send(['sent', 'bounced', 'sent', 'sent']);
  expect(await end()).toMatchObject({
    ...{ wasOurs: true, moved: { counts: { sent: 3, bounced: 1, pending: 0 } } },
  });
  expect(await readChunk(database.db, grant)).toMatchObject({
    state: chunkStates.done,
    owner: null,
    grant_n: 0,
  });
  await assertCounts(database.db);
});

test('what was not sent is pending and due at once, and wakes the lane', async () => {
  await send(['sent']);
  await end();
  expect(await readChunk(database.db, grant)).toMatchObject({
    state: chunkStates.pending,
    epoch: grant.epoch,
  });
  expect((await readChunk(database.db, grant)).due_in).toBeLessThanOrEqual(0);
  expect(await readLaneDueIn(database.db, ledger.lane)).toBeLessThanOrEqual(0);
  await assertCounts(database.db);
});

test('deferred rows bring the chunk back at the earliest, rounded up', async () => {
  await send(['deferred', 'sent', 'sent', 'sent'], 3_400);
  await end();
  const { due_in } = await readChunk(database.db, grant);
  expect(due_in).toBeGreaterThan(3_500);
  expect(due_in).toBeLessThanOrEqual(4_000);
});

test('a hold keeps the chunk and its lane back, even one that was awake', async () => {
  await database.db.write('UPDATE lanes SET next_due_at = NOW(3) WHERE tenant_id = ?', [ledger.tenantId]);
  await end(5_000);
  expect((await readChunk(database.db, grant)).due_in).toBeGreaterThan(4_000);
  expect(await readLaneDueIn(database.db, ledger.lane)).toBeGreaterThan(4_000);
});

test('a chunk with nothing but doubts waits for these to be settled, and wakes nobody', async () => {
  await send(['in_doubt', 'sent', 'sent', 'sent']);
  await end();
  expect(await readChunk(database.db, grant)).toMatchObject({ state: chunkStates.pending });
  expect(await readLaneDueIn(database.db, ledger.lane)).toBeNull();
  await assertCounts(database.db);
});

test('an attempt without a result is in doubt, not forgotten', async () => {
  await recordIntent(database.db, { grant, owner, seqs: [0, 1], includedLists: [] });
  await end();
  expect(await readStates(database.db, grant)).toEqual(['in_doubt', 'in_doubt', 'pending', 'pending']);
  await assertCounts(database.db);
});

test('ending twice, or ending what another took over, leaves the chunk as it is, and its counts true', async () => {
  const { db } = database;
  await recordIntent(db, { grant, owner, seqs: [0, 1], includedLists: [] });
  await expireLease(db, grant);
  await takeOverExpired(db, rules, { limit: 10 });
  const second = await dispatchChunk(db, ledger);
  await recordResults(db, grant, [{ seq: 0, state: 'sent', replyCode: 250, reason: null }]);
  expect(await end()).toEqual({ wasOurs: false });
  expect(await end()).toEqual({ wasOurs: false });
  expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.dispatched, epoch: second.epoch });
  await assertCounts(db);
});

test('another worker can not end our grant', async () => {
  expect(await endGrant(database.db, grant, { owner: 'other', rules })).toEqual({ wasOurs: false });
  expect(await readChunk(database.db, grant)).toMatchObject({ state: chunkStates.leased, owner });
});

test.each([
  { crashes: 1, after: 0, why: 'progress forgives a single crash' },
  { crashes: 3, after: 3, why: 'what is being searched for is still in there' },
])('$why', async ({ crashes, after }) => {
  await database.db.write('UPDATE chunks SET crashes = ? WHERE campaign_id = ?', [crashes, grant.campaignId]);
  await end();
  expect((await readChunk(database.db, grant)).crashes).toBe(after);
});

test('a bounce that comes by mail is counted on a chunk that is done, leased or pending', async () => {
  const { db } = database;
  const bounce = (seq: number) =>
    db.write('UPDATE deliveries SET state = 3 WHERE campaign_id = ? AND seq = ?', [grant.campaignId, seq]);
  await send(['sent']);
  await bounce(0);
  await recountChunk(db, grant, rules);
  expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.leased, owner });
  await assertCounts(db);
  await end();
  await bounce(1);
  await recountChunk(db, grant, rules);
  await bounce(2);
  await bounce(3);
  await recountChunk(db, grant, rules);
  expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.done });
  await recountChunk(db, { ...grant, chunkNo: 99 }, rules);
  await assertCounts(db);
});

test('grants of a campaign that end at the same moment leave counters that equal the rows', async () => {
  const { db } = database;
  const many = await createTestLedger(db, { chunks: 12, size: 5 });
  await Promise.all(
    Array.from({ length: 12 }, async (_, chunkNo) => {
      const one = await leaseChunk(db, many, owner, chunkNo);
      await recordIntent(db, { grant: one, owner, seqs: [0, 1, 2], includedLists: [] });
      const results = [0, 1, 2].map((seq) => ({ seq, state: 'sent' as const, replyCode: 250, reason: null }));
      await recordResults(db, one, results);
      await endGrant(db, one, { owner, rules });
    }),
  );
  await assertCounts(db);
});
