import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../ids.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { chunkStates, deliveryStates } from '../ledger/states.ts';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  alwaysLeading,
  createTestLedger,
  dispatchChunk,
  leaseChunk,
  readChunk,
  readLaneDueIn,
  type TestLedger,
} from '../testing/test-ledger.ts';
import { readCandidates } from './candidate-store.ts';
import { readDemand, readOutstanding } from './demand-store.ts';
import { dispatchGrants, returnDispatched } from './dispatch-store.ts';
import { holdLanes, rescheduleLanes } from './lane-store.ts';
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
const demandWith = async (windowOf: (destinationId: number) => number) =>
  readDemand(database.db, await readOutstanding(database.db), windowOf);
const anyRoom = () => demandWith(() => 6_000);
const change = ({ campaignId }: TestLedger, assignment: string) =>
  database.db.write(`UPDATE campaigns SET ${assignment} WHERE id = ?`, [campaignId]);
const sleepLane = ({ tenantId }: TestLedger) =>
  database.db.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [tenantId]);
const candidatesOf = (ledger: TestLedger) =>
  readCandidates(database.db, [{ lane: ledger.lane, messages: 500 }]);
const inMinutes = (n: number) => n * 60_000;

describe('dispatching (S1)', () => {
  test('raises the epoch and takes the lease; the same plan again, or a stale one, dispatches nothing', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const planned = [{ lane: ledger.lane, grant: { ...ledger.key(), epoch: 0, n: 4 } }];
    const [dispatched] = await dispatchGrants(db, alwaysLeading, planned);
    expect(dispatched?.grant).toEqual({ ...ledger.key(), epoch: 1, n: 4 });
    expect(await readChunk(db, ledger.key())).toMatchObject({
      state: chunkStates.dispatched,
      epoch: 1,
      grant_n: 4,
    });
    expect(await dispatchGrants(db, alwaysLeading, planned)).toEqual([]);
  });

  test('by a plan that is older than the last grant, or newer than the lease, dispatches nothing', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const planned = (epoch: number) => [{ lane: ledger.lane, grant: { ...ledger.key(), epoch, n: 4 } }];
    const grant = await leaseChunk(db, ledger, 'me');
    expect(await dispatchGrants(db, alwaysLeading, planned(grant.epoch))).toEqual([]);
    await endGrant(db, grant, { owner: 'me', rules });
    expect(await dispatchGrants(db, alwaysLeading, planned(grant.epoch - 1))).toEqual([]);
    expect(await dispatchGrants(db, alwaysLeading, planned(grant.epoch))).toHaveLength(1);
  });

  test('by two dispatchers at once gives each chunk to one of them', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 6 });
    const planned = Array.from({ length: 6 }, (_, chunkNo) => ({
      lane: ledger.lane,
      grant: { ...ledger.key(chunkNo), epoch: 0, n: 4 },
    }));
    const both = await Promise.all([
      dispatchGrants(db, alwaysLeading, planned),
      dispatchGrants(db, alwaysLeading, planned),
    ]);
    expect(
      both
        .flat()
        .map(({ grant }) => grant.chunkNo)
        .sort(),
    ).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('by one that no longer leads is rolled back', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const deposed = { ...alwaysLeading, assertLeading: () => Promise.reject(new Error('deposed')) };
    const planned = [{ lane: ledger.lane, grant: { ...ledger.key(), epoch: 0, n: 4 } }];
    await expect(dispatchGrants(db, deposed, planned)).rejects.toThrow('deposed');
    expect(await readChunk(db, ledger.key())).toMatchObject({ state: chunkStates.pending, epoch: 0 });
  });
});

describe('demand', () => {
  test('is what is outstanding by destination, and the lanes that are due', async () => {
    const { db } = database;
    const busy = await createTestLedger(db, { destinationId: 1, chunks: 2 });
    await dispatchChunk(db, busy, 0);
    const asleep = await createTestLedger(db, { destinationId: 2 });
    await sleepLane(asleep);
    const leased = await createTestLedger(db, { destinationId: 3, size: 5 });
    await leaseChunk(db, leased, 'me');
    await sleepLane(leased);
    const demand = await anyRoom();
    const heldBy = (tenantId: number, n: number) => ({
      byClass: [0, 0, n],
      byTenant: new Map([[tenantId, n]]),
    });
    const dueLane = { ...busy.lane, weight: 100, mostOutstanding: undefined };
    expect([...demand].sort((a, b) => a.destinationId - b.destinationId)).toEqual([
      { destinationId: 1, windowMessages: 6_000, outstanding: heldBy(busy.tenantId, 10), lanes: [dueLane] },
      { destinationId: 3, windowMessages: 6_000, outstanding: heldBy(leased.tenantId, 5), lanes: [] },
    ]);
    const { byCampaign } = await readOutstanding(db);
    expect(byCampaign).toEqual(
      new Map([
        [busy.campaignId, 10],
        [leased.campaignId, 5],
      ]),
    );
  });

  test('reads no lanes of a destination that is full, or closed', async () => {
    const { db } = database;
    const full = await createTestLedger(db, { destinationId: 1, chunks: 2 });
    await dispatchChunk(db, full, 0);
    await createTestLedger(db, { destinationId: 2 });
    await createTestLedger(db, { destinationId: 3 });
    const demand = await demandWith((destinationId) => (destinationId === 3 ? 0 : 10));
    const open = demand.filter(({ lanes }) => lanes.length > 0);
    expect(open.map(({ destinationId }) => destinationId)).toEqual([2]);
  });

  test("tells a tenant's weight, and the most its rate allows it to have outstanding", async () => {
    const { db } = database;
    const { tenantId } = await createTestLedger(db);
    await db.write(
      "INSERT INTO tenants (id, name, weight, per_second, created_at) VALUES (?, 'Slow', 250, 7, NOW(3))",
      [tenantId],
    );
    expect((await anyRoom())[0]?.lanes).toMatchObject([{ tenantId, weight: 250, mostOutstanding: 21 }]);
  });

  test('of more destinations than one query asks for', async () => {
    const { db } = database;
    const lanes = Array.from({ length: 95 }, (_, i) => [newId('tenant'), i + 1, 2, new Date()]);
    await db.write('INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES ?', [lanes]);
    expect(await anyRoom()).toHaveLength(95);
  });

  test('reaches every lane in turn, though a pass reads only 500 of a destination', async () => {
    const { db } = database;
    const lanes = Array.from({ length: 700 }, (_, i) => [1_000 + i, 1, 2, new Date(Date.now() - 60_000)]);
    await db.write('INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES ?', [lanes]);
    const seen = new Set<number>();
    for (let pass = 0; pass < 2; pass++) {
      const [demand] = await anyRoom();
      for (const { tenantId } of demand?.lanes ?? []) seen.add(tenantId);
      const served = (demand?.lanes ?? []).map((lane) => ({
        lane,
        grant: { ...key(lane.tenantId), epoch: 0, n: 1 },
      }));
      await dispatchGrants(db, alwaysLeading, served);
    }
    expect(seen.size).toBe(700);
  });

  const key = (tenantId: number) =>
    ({ tenantId, campaignId: 1, chunkNo: 0, part: 1 }) as unknown as ReturnType<TestLedger['key']>;
});

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

describe('rescheduling a lane', () => {
  test('sets it to its next chunk, or to sleep when there is none', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 2 });
    await db.write('UPDATE chunks SET due_at = NOW(3) + INTERVAL 10 + chunk_no MINUTE');
    await rescheduleLanes(db, [ledger.lane]);
    expect(await readLaneDueIn(db, ledger.lane)).toBeGreaterThan(inMinutes(9));
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(inMinutes(10));
    await db.write(`UPDATE chunks SET state = ${chunkStates.done}`);
    await rescheduleLanes(db, [ledger.lane]);
    expect(await readLaneDueIn(db, ledger.lane)).toBeNull();
  });

  test('that meets the end of a grant halfway does not lose its wake-up', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const grant = await leaseChunk(db, ledger, 'me');
    let rescheduling: Promise<void> | undefined;
    await db.transaction(async (tx) => {
      // As the end of a grant does it: first the chunk, then its lane.
      await tx.write(
        `UPDATE chunks SET state = ${chunkStates.pending}, due_at = NOW(3) WHERE campaign_id = ?`,
        [grant.campaignId],
      );
      await tx.write('UPDATE lanes SET next_due_at = NOW(3) WHERE tenant_id = ?', [ledger.tenantId]);
      rescheduling = rescheduleLanes(db, [ledger.lane]);
      await waitForLockWait(db, ledger.tenantId);
    });
    await rescheduling;
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('that locked the lane first makes the end of a grant wait, and is overruled by it', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const grant = await leaseChunk(db, ledger, 'me');
    let ending: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await tx.first('SELECT 1 FROM lanes WHERE tenant_id = ? FOR UPDATE', [ledger.tenantId]);
      ending = endGrant(db, grant, { owner: 'me', rules });
      await waitForLockWait(db, ledger.tenantId);
      await tx.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [ledger.tenantId]);
    });
    await ending;
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });
});

test('when Redis was lost, what is dispatched goes back at once, at another epoch; what is leased goes on', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 3 });
  const untouched = await createTestLedger(db);
  await sleepLane(untouched);
  const lost = await dispatchChunk(db, ledger, 0);
  const leased = await leaseChunk(db, ledger, 'me', 1);
  await sleepLane(ledger);
  expect(await returnDispatched(db)).toBe(1);
  expect(await readChunk(db, lost)).toMatchObject({ state: chunkStates.pending, epoch: lost.epoch + 1 });
  expect(await readChunk(db, leased)).toMatchObject({ state: chunkStates.leased, epoch: leased.epoch });
  expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  expect(await readLaneDueIn(db, untouched.lane)).toBeNull();
  expect(await returnDispatched(db)).toBe(0);
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

  const pause = ({ tenantId, lane }: TestLedger, domain: string, minutes = 1) =>
    database.db.write(
      `INSERT INTO sender_pauses (tenant_id, destination_id, domain, until, reply_code, reply, first_at, last_at)
       VALUES (?, ?, ?, NOW(3) + INTERVAL ? MINUTE, 550, '5.7.1 no', NOW(3), NOW(3))`,
      [tenantId, lane.destinationId, domain, minutes],
    );
});

test('lanes are held for a while, unless they are not due', async () => {
  const { db } = database;
  const [held, asleep] = [await createTestLedger(db), await createTestLedger(db)];
  await sleepLane(asleep);
  await holdLanes(db, [held.lane, asleep.lane], 60_000);
  expect(await readLaneDueIn(db, held.lane)).toBeGreaterThan(50_000);
  expect(await readLaneDueIn(db, asleep.lane)).toBeNull();
});

test('S1 of more grants than one statement takes moves each once, to its own size', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 230, size: 1 });
  const planned = Array.from({ length: 230 }, (_, chunkNo) => ({
    lane: ledger.lane,
    grant: { ...ledger.key(chunkNo), epoch: 0, n: 1 + (chunkNo % 7) },
  }));
  expect(await dispatchGrants(db, alwaysLeading, planned)).toHaveLength(230);
  const wrong = await db.rows('SELECT 1 FROM chunks WHERE epoch <> 1 OR grant_n <> 1 + MOD(chunk_no, 7)');
  expect(wrong).toEqual([]);
});
