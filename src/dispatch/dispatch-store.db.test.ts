import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../ids.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { chunkStates } from '../ledger/states.ts';
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
import { readDemand, readOutstanding } from './demand-store.ts';
import { dispatchGrants, returnDispatched } from './dispatch-store.ts';
import { holdLanes, rescheduleLanes } from './lane-store.ts';

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
  readDemand(database.db, await readOutstanding(database.db), (id) => ({ windowMessages: windowOf(id) }));
const anyRoom = () => demandWith(() => 6_000);
const sleepLane = ({ tenantId }: TestLedger) =>
  database.db.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [tenantId]);
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
    const { byCampaign, campaigns } = await readOutstanding(db);
    expect(byCampaign).toEqual(
      new Map([
        [busy.campaignId, 10],
        [leased.campaignId, 5],
      ]),
    );
    expect([...campaigns.values()]).toEqual(
      [busy, leased].map(({ tenantId, campaignId }) => ({ tenantId, campaignId })),
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

  test('reads those lanes that woke last where there is room for newcomers alone', async () => {
    const { db } = database;
    const large = await createTestLedger(db, { destinationId: 1, chunks: 2, size: 60 });
    await dispatchChunk(db, large, 0);
    const crowd = Array.from({ length: 60 }, (_, i) => [1_000 + i, 1, 2, new Date(Date.now() - 60_000)]);
    await db.write('INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES ?', [crowd]);
    const { tenantId } = await createTestLedger(db, { destinationId: 1 });
    const [demand] = await demandWith(() => 80);
    expect(demand?.lanes).toHaveLength(50);
    expect(demand?.lanes.map((lane) => lane.tenantId)).toContain(tenantId);
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
