/** Retries, and chunks that may not go: read apart, and out of their lanes' way. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endGrant } from '../ledger/end-grant.ts';
import { chunkValues, chunkWhere } from '../ledger/grant.ts';
import { lockChunk } from '../ledger/recount.ts';
import { deliveryStates } from '../ledger/states.ts';
import { createImpatientDatabase } from '../testing/impatient-database.ts';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  dispatchChunk,
  leaseChunk,
  readChunk,
  readLaneDueIn,
  type TestLedger,
} from '../testing/test-ledger.ts';
import { readCandidates } from './candidate-store.ts';
import { rescheduleLanes } from './lane-store.ts';
import { parkCampaigns, postponeChunks, unparkCampaigns } from './park-store.ts';
import { siftCandidates } from './sift-candidates.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  for (const table of ['campaigns', 'chunks', 'deliveries', 'lanes', 'tenants', 'sender_pauses'])
    await database.db.write(`DELETE FROM ${table}`);
});
afterAll(() => database.drop());

const rules = { retryStepMs: 100 };
const change = ({ campaignId }: TestLedger, assignment: string) =>
  database.db.write(`UPDATE campaigns SET ${assignment} WHERE id = ?`, [campaignId]);
const candidatesOf = (ledger: TestLedger) =>
  readCandidates(database.db, [{ lane: ledger.lane, messages: 500 }]);
const inMinutes = (n: number) => n * 60_000;

describe('parking', () => {
  test('takes the chunks of a paused campaign out of the way; resuming brings them back and wakes the lane', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 3 });
    await change(ledger, 'paused_at = NOW(3)');
    const candidates = await candidatesOf(ledger);
    expect(candidates.map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
    expect(await parkCampaigns(db, candidates)).toBe(3);
    expect(await candidatesOf(ledger)).toEqual([]);
    await rescheduleLanes(db, [ledger.lane]);
    expect(await unparkCampaigns(db)).toBe(0);

    await change(ledger, 'paused_at = NULL');
    expect(await unparkCampaigns(db)).toBe(3);
    expect(await candidatesOf(ledger)).toHaveLength(3);
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
    expect(await unparkCampaigns(db)).toBe(0);
  });

  test('by what was read before a resume parks nothing', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 3 });
    await change(ledger, 'paused_at = NOW(3)');
    const candidates = await candidatesOf(ledger);
    await change(ledger, 'paused_at = NULL');
    expect(await parkCampaigns(db, candidates)).toBe(0);
    expect(await candidatesOf(ledger)).toHaveLength(3);
  });

  test('leaves alone what waits for its doubts to be settled', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    await change(ledger, 'parked = 1');
    await db.write("UPDATE chunks SET due_at = '9999-12-31', n_pending = 0, n_in_doubt = 10");
    expect(await unparkCampaigns(db)).toBe(0);
    expect((await readChunk(db, ledger.key())).due_in).toBeGreaterThan(inMinutes(60));
  });
});

test('a campaign that somebody has locked keeps no other from being brought back', async () => {
  const { db } = database;
  const [locked, other] = [await createTestLedger(db), await createTestLedger(db)];
  await change(locked, 'parked = 1');
  await change(other, 'parked = 1');
  await db.write("UPDATE chunks SET due_at = '9999-12-31'");
  const impatient = await createImpatientDatabase(database.url);
  const passedOver: number[] = [];
  await db.transaction(async (tx) => {
    const key = [locked.tenantId, locked.campaignId];
    await tx.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? FOR UPDATE', key);
    expect(await unparkCampaigns(impatient, ({ campaignId }) => passedOver.push(campaignId))).toBe(1);
  });
  expect(passedOver).toEqual([locked.campaignId]);
  expect(await candidatesOf(other)).toHaveLength(1);
  await impatient.stop();
});

describe('retries', () => {
  const deferAll = (ledger: TestLedger, chunkNo: number) =>
    database.db.write(
      `UPDATE deliveries SET state = ${deliveryStates.deferred}, next_attempt_at = NOW(3) - INTERVAL 1 SECOND
       WHERE campaign_id = ? AND chunk_no = ?`,
      [ledger.campaignId, chunkNo],
    );

  test('are the chunks with nothing but deferred messages, and are read beside the fresh ones', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 3 });
    const grants = [await leaseChunk(db, ledger, 'me', 0), await leaseChunk(db, ledger, 'me', 1)];
    await deferAll(ledger, 0);
    for (const grant of grants) await endGrant(db, grant, { owner: 'me', rules });
    const found = await candidatesOf(ledger);
    const numbers = (ofRetries: boolean) =>
      found.filter(({ isRetry }) => isRetry === ofRetries).map(({ chunkNo }) => chunkNo);
    expect([numbers(false), numbers(true)]).toEqual([[2, 1], [0]]);
    await rescheduleLanes(db, [ledger.lane]);
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('wake a lane that has nothing else', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    await db.write('UPDATE chunks SET is_retry = 1, due_at = NOW(3) + INTERVAL 10 MINUTE');
    await rescheduleLanes(db, [ledger.lane]);
    const dueIn = await readLaneDueIn(db, ledger.lane);
    expect(dueIn).toBeGreaterThan(inMinutes(9));
    expect(dueIn).toBeLessThanOrEqual(inMinutes(10));
  });
});

describe('chunks that may not go', () => {
  test('of a sender that rests at their destination are due again after it, with all behind them; others are not touched', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 30, size: 1 });
    const other = await createTestLedger(db, { tenantId: ledger.tenantId, chunks: 2 });
    await change(ledger, "sending_domain = 'example.com'");
    await change(other, "sending_domain = 'example.net'");
    await pause(ledger, 'example.com');
    const candidates = await candidatesOf(ledger);
    expect(new Set(candidates.map(({ senderRestsMs }) => senderRestsMs > 0))).toEqual(new Set([true]));
    const { ready, postponed } = siftCandidates(candidates, new Map());
    expect(await postponeChunks(db, postponed, ready)).toBe(30);
    expect((await readChunk(db, ledger.key(29))).due_in).toBeGreaterThan(50_000);
    expect((await candidatesOf(ledger)).map(({ campaignId }) => campaignId)).toEqual(
      [1, 2].map(() => other.campaignId),
    );
  });

  test('of a sender that rested go again, and elsewhere always did', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    await change(ledger, "sending_domain = 'example.com'");
    await pause(ledger, 'example.com', -1);
    await pause({ ...ledger, lane: { ...ledger.lane, destinationId: 99 } }, 'example.com');
    expect((await candidatesOf(ledger)).map(({ senderRestsMs }) => senderRestsMs)).toEqual([0]);
  });

  test('of a campaign with a rate leave the way to others, and the one that goes keeps its place', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 30, size: 10 });
    const other = await createTestLedger(db, { tenantId: ledger.tenantId });
    await change(ledger, 'per_minute = 60');
    const { ready, postponed } = siftCandidates(await candidatesOf(ledger), new Map());
    expect(ready.map(({ chunk, most }) => [chunk.chunkNo, most])).toEqual([[0, 3]]);
    expect(await postponeChunks(db, postponed, ready)).toBe(29);
    expect((await readChunk(db, ledger.key(1))).due_in).toBeGreaterThan(8_000);
    expect((await candidatesOf(ledger)).map(({ campaignId, chunkNo }) => [campaignId, chunkNo])).toEqual([
      [ledger.campaignId, 0],
      [other.campaignId, 0],
    ]);
  });

  test('that were dispatched meanwhile stay as they are', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 2 });
    await change(ledger, 'per_minute = 1');
    const { ready, postponed } = siftCandidates(await candidatesOf(ledger), new Map());
    const chunkNo = postponed[0]?.chunk.chunkNo as number;
    await dispatchChunk(db, ledger, chunkNo);
    expect(await postponeChunks(db, postponed, ready)).toBe(0);
    expect((await readChunk(db, ledger.key(chunkNo))).due_in).toBeLessThanOrEqual(0);
  });

  test('are set back while a bounce changes when one of them is due: neither is the victim of a deadlock', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 30, size: 10 });
    await change(ledger, 'per_minute = 60');
    const { ready, postponed } = siftCandidates(await candidatesOf(ledger), new Map());
    const key = ledger.key(29);
    expect(postponed.map(({ chunk }) => chunk.chunkNo)).not.toContain(key.chunkNo);
    let tries = 0;
    let postponing: Promise<number> | undefined;
    await db.transaction(async (tx) => {
      tries++;
      await lockChunk(tx, key);
      postponing ??= postponeChunks(database.db, postponed, ready);
      postponing.catch(() => undefined);
      await waitForLockWait(db, key.campaignId);
      await tx.write(
        `UPDATE chunks SET due_at = NOW(3) + INTERVAL 30 MINUTE WHERE ${chunkWhere}`,
        chunkValues(key),
      );
    });
    expect(await postponing).toBe(28);
    expect(tries).toBe(1);
    expect((await readChunk(db, key)).due_in).toBeGreaterThan(inMinutes(29));
  });

  const pause = ({ tenantId, lane }: TestLedger, domain: string, minutes = 1) =>
    database.db.write(
      `INSERT INTO sender_pauses (tenant_id, destination_id, domain, until, reply_code, reply, first_at, last_at)
       VALUES (?, ?, ?, NOW(3) + INTERVAL ? MINUTE, 550, '5.7.1 no', NOW(3), NOW(3))`,
      [tenantId, lane.destinationId, domain, minutes],
    );
});
