import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  dispatchChunk,
  expireLease,
  leaseChunk,
  readChunk,
  readLaneDueIn,
  readStates,
} from '../testing/test-ledger.ts';
import { beginRendering, claimGrant, finishRendering, renewLeases } from './claim.ts';
import { assertNoDrift, crash, emptyLedger, owner, takeOver } from './crash-fixture.ts';
import { chunkStates } from './states.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyLedger(database.db));
afterEach(() => assertNoDrift(database.db));
afterAll(() => database.drop());

describe('a lease that is over', () => {
  test('puts what was attempted in doubt and the rest back, at a higher epoch', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(db, 2);
    await db.write('UPDATE lanes SET next_due_at = NULL');
    expect(await takeOver(db)).toMatchObject([{ campaignId: grant.campaignId, inDoubt: 2, wasLeased: true }]);
    expect(await readStates(db, grant)).toEqual(['in_doubt', 'in_doubt', 'pending', 'pending']);
    const chunk = await readChunk(db, grant);
    expect(chunk).toMatchObject({
      state: chunkStates.pending,
      epoch: grant.epoch + 1,
      owner: null,
      crashes: 0,
    });
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('of a renderer is a crash', async () => {
    const { db } = database;
    const grant = await dispatchChunk(db, await createTestLedger(db));
    expect(await beginRendering(db, grant, 'renderer')).toBe(true);
    await expireLease(db, grant);
    await takeOver(db);
    expect(await readChunk(db, grant)).toMatchObject({ crashes: 1, owner: null });
  });

  test('of a send worker that died before its first intent is no crash: it may do so again and again', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { size: 1 });
    for (let i = 0; i < 5; i++) {
      await expireLease(db, await leaseChunk(db, ledger, `sender ${i}`));
      expect(await takeOver(db)).toMatchObject([{ inDoubt: 0, wasLeased: true }]);
    }
    expect(await readChunk(db, ledger.key())).toMatchObject({ state: chunkStates.pending, crashes: 0 });
  });

  test('of messages that were rendered and that no send worker came for is no crash', async () => {
    const { db } = database;
    const grant = await dispatchChunk(db, await createTestLedger(db));
    await beginRendering(db, grant, 'renderer');
    await finishRendering(db, grant, 'renderer');
    expect((await readChunk(db, grant)).lease_in).toBeGreaterThan(28_000);
    await expireLease(db, grant);
    await takeOver(db);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.pending, crashes: 0 });
  });

  test('of a dispatched chunk is no crash', async () => {
    const { db } = database;
    const grant = await dispatchChunk(db, await createTestLedger(db));
    await expireLease(db, grant);
    expect(await takeOver(db)).toMatchObject([{ inDoubt: 0, wasLeased: false }]);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.pending, crashes: 0 });
    expect(await claimGrant(db, grant, owner)).toBe(false);
  });

  test('is taken over once by two that look at the same moment', async () => {
    const { grant } = await crash(database.db, 1);
    const both = await Promise.all([takeOver(database.db), takeOver(database.db)]);
    expect(both.flat()).toHaveLength(1);
    expect(await readChunk(database.db, grant)).toMatchObject({ epoch: grant.epoch + 1 });
  });

  test('that is renewed while the takeover waits for the chunk is left alone', async () => {
    const { db } = database;
    const { grant } = await crash(db, 1);
    let taking: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await renewLeases(tx, [grant], owner);
      taking = takeOver(db);
      await waitForLockWait(db, grant.campaignId);
    });
    expect(await taking).toEqual([]);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.leased, owner });
  });

  test('that is not over is not taken', async () => {
    await leaseChunk(database.db, await createTestLedger(database.db), owner);
    expect(await takeOver(database.db)).toEqual([]);
  });
});
