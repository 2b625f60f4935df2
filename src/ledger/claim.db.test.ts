import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  dispatchChunk,
  expireLease,
  leaseChunk,
  readChunk,
} from '../testing/test-ledger.ts';
import { beginRendering, claimGrant, finishRendering, renewLeases } from './claim.ts';
import { endGrant } from './end-grant.ts';
import { chunkStates } from './states.ts';
import { takeOverExpired } from './takeover.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const rules = { retryStepMs: 100 };

test('of many workers that get the same job, one claims the chunk', async () => {
  const { db } = database;
  const grant = await dispatchChunk(db, await createTestLedger(db));
  const claims = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((owner) => claimGrant(db, grant, owner)));
  expect(claims.filter(Boolean)).toHaveLength(1);
});

test('a claim whose answer was lost may be repeated by its owner, and by nobody else', async () => {
  const { db } = database;
  const grant = await leaseChunk(db, await createTestLedger(db), 'me');
  expect(await claimGrant(db, grant, 'me')).toBe(true);
  expect(await claimGrant(db, grant, 'other')).toBe(false);
  expect((await readChunk(db, grant)).owner).toBe('me');
});

test('a stale job claims nothing: of an older epoch, before dispatch, after the end', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db);
  const grant = await dispatchChunk(db, ledger);
  expect(await claimGrant(db, { ...grant, epoch: grant.epoch - 1 }, 'me')).toBe(false);
  expect(await claimGrant(db, { ...grant, epoch: grant.epoch + 1 }, 'me')).toBe(false);
  await claimGrant(db, grant, 'me');
  await endGrant(db, grant, { owner: 'me', rules });
  expect(await claimGrant(db, grant, 'me')).toBe(false);
  const again = await dispatchChunk(db, ledger);
  expect(again.epoch).toBe(grant.epoch + 1);
  expect(await claimGrant(db, grant, 'me')).toBe(false);
});

test('the lease is counted by the database and reaches a whole term from the claim', async () => {
  const { db } = database;
  const grant = await dispatchChunk(db, await createTestLedger(db));
  await db.write('UPDATE chunks SET lease_until = NOW(3) + INTERVAL 1 SECOND WHERE campaign_id = ?', [
    grant.campaignId,
  ]);
  await claimGrant(db, grant, 'me');
  const { lease_in } = await readChunk(db, grant);
  expect(lease_in).toBeGreaterThan(28_000);
  expect(lease_in).toBeLessThanOrEqual(30_000);
});

test('renewing names those that were lost: taken over, ended, or claimed by another since', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 4 });
  const kept = await leaseChunk(db, ledger, 'me', 0);
  const ended = await leaseChunk(db, ledger, 'me', 1);
  const taken = await leaseChunk(db, ledger, 'me', 2);
  const stolen = await leaseChunk(db, ledger, 'me', 3);
  await endGrant(db, ended, { owner: 'me', rules });
  await expireLease(db, taken);
  await takeOverExpired(db, rules, { limit: 10 });
  await db.write("UPDATE chunks SET owner = 'other' WHERE campaign_id = ? AND chunk_no = 3", [
    stolen.campaignId,
  ]);
  await db.write('UPDATE chunks SET lease_until = NOW(3) + INTERVAL 1 SECOND WHERE campaign_id = ?', [
    kept.campaignId,
  ]);

  expect(await renewLeases(db, [kept, ended, taken, stolen], 'me')).toEqual([ended, taken, stolen]);
  expect((await readChunk(db, kept)).lease_in).toBeGreaterThan(28_000);
  expect((await readChunk(db, stolen)).lease_in).toBeLessThan(2_000);
  expect((await readChunk(db, taken)).state).toBe(chunkStates.pending);
  expect(await renewLeases(db, [], 'me')).toEqual([]);
});

test('a renderer begins on a dispatched chunk at its epoch only, and never takes a claim away', async () => {
  const { db } = database;
  const grant = await dispatchChunk(db, await createTestLedger(db));
  expect(await beginRendering(db, { ...grant, epoch: grant.epoch - 1 }, 'renderer')).toBe(false);
  expect(await beginRendering(db, grant, 'renderer')).toBe(true);
  expect(await claimGrant(db, grant, 'me')).toBe(true);
  await finishRendering(db, grant, 'renderer');
  expect(await beginRendering(db, grant, 'renderer')).toBe(false);
  expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.leased, owner: 'me' });
});

test('a chunk that came back to the same worker at a later epoch is lost to its earlier grant', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db);
  const first = await leaseChunk(db, ledger, 'me');
  await expireLease(db, first);
  await takeOverExpired(db, rules, { limit: 10 });
  const second = await leaseChunk(db, ledger, 'me');
  expect(await renewLeases(db, [first], 'me')).toEqual([first]);
  expect(await renewLeases(db, [second], 'me')).toEqual([]);
});
