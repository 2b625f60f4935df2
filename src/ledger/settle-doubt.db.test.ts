import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assertCounts } from '../testing/assert-ledger.ts';
import { createImpatientDatabase } from '../testing/impatient-database.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { leaseChunk, readChunk, readLaneDueIn, readStates } from '../testing/test-ledger.ts';
import { assertNoDrift, crash, emptyLedger, owner, rules, takeOver, whileLeasing } from './crash-fixture.ts';
import type { ChunkKey } from './delivery-id.ts';
import { endGrant } from './end-grant.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { recordResults } from './outcome.ts';
import { lockChunk } from './recount.ts';
import { settleDoubt } from './settle-doubt.ts';
import { chunkStates } from './states.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyLedger(database.db));
afterEach(() => assertNoDrift(database.db));
afterAll(() => database.drop());

describe('a doubt', () => {
  const settle = (settleAfterMs = 1_000) => settleDoubt(database.db, { settleAfterMs, rules, limit: 100 });
  const age = ({ campaignId }: Grant) =>
    database.db.write(
      'UPDATE deliveries SET outcome_at = NOW(3) - INTERVAL 10 SECOND WHERE campaign_id = ?',
      [campaignId],
    );

  const late = (state: 'sent' | 'pending', replyCode: number) =>
    [0, 1, 2, 3].map((seq) => ({ seq, state, replyCode, reason: null }));

  test('is not settled before its time', async () => {
    const { grant } = await crash(database.db, 2);
    await takeOver(database.db);
    expect(await settle()).toBe(0);
    expect(await readStates(database.db, grant)).toContain('in_doubt');
    await age(grant);
    await settle();
  });

  test('counts as sent by assume_delivered, and the chunk is done with the last', async () => {
    const { db } = database;
    const { grant } = await crash(db, 4);
    await takeOver(db);
    await age(grant);
    expect(await settle()).toBe(4);
    expect(await readStates(db, grant)).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.done });
    const [row] = await db.rows(
      `SELECT DISTINCT settled_by FROM deliveries WHERE ${chunkWhere}`,
      chunkValues(grant),
    );
    expect(row).toEqual({ settled_by: 'assume_delivered' });
  });

  test('is sent again by resend: pending, and the lane wakes', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(db, 4, { policy: 'resend' });
    await takeOver(db);
    await age(grant);
    await db.write('UPDATE lanes SET next_due_at = NULL');
    expect(await settle()).toBe(4);
    expect(await readStates(db, grant)).toEqual(['pending', 'pending', 'pending', 'pending']);
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('is settled by the truth when that comes first, and the policy finds nothing', async () => {
    const { db } = database;
    const { grant } = await crash(db, 4, { policy: 'resend' });
    await takeOver(db);
    await recordResults(db, grant, late('sent', 250));
    await age(grant);
    // The late worker has written its outcomes, but not yet counted its chunk anew.
    expect(await settle()).toBe(0);
    await endGrant(db, grant, { owner, rules });
    expect(await readStates(db, grant)).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.done });
  });

  test('that late outcomes settled while nobody counted is counted: sent is done, and retracted wakes the lane', async () => {
    const { db } = database;
    const sent = await crash(db, 4);
    const retracted = await crash(db, 4);
    await takeOver(db);
    await recordResults(db, sent.grant, late('sent', 250));
    await recordResults(db, retracted.grant, late('pending', 0));
    await db.write('UPDATE lanes SET next_due_at = NULL');
    // Their worker died here, before the end of the grants.
    expect(await settle()).toBe(0);
    expect(await readChunk(db, sent.grant)).toMatchObject({ state: chunkStates.done });
    expect(await readChunk(db, retracted.grant)).toMatchObject({ state: chunkStates.pending });
    expect(await readLaneDueIn(db, retracted.ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('of which one is ripe and others were settled late moves the counters once', async () => {
    const { db } = database;
    const { grant } = await crash(db, 2);
    await takeOver(db);
    await recordResults(db, grant, [{ seq: 0, state: 'sent', replyCode: 250, reason: null }]);
    await settle();
    await settle();
    await endGrant(db, grant, { owner, rules });
    await assertCounts(db);
    await age(grant);
    expect(await settle()).toBe(1);
  });

  test('that is not ripe is left when another of its chunk is', async () => {
    const { db } = database;
    const { grant } = await crash(db, 2);
    await takeOver(db);
    await age(grant);
    await db.write('UPDATE deliveries SET outcome_at = NOW(3) WHERE campaign_id = ? AND seq = 1', [
      grant.campaignId,
    ]);
    expect(await settle(60_000)).toBe(0);
    expect(await settle(5_000)).toBe(1);
    expect(await readStates(db, grant)).toEqual(['sent', 'in_doubt', 'pending', 'pending']);
  });

  test('is left alone when its chunk is claimed while the policy waits for the lock', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(db, 2);
    await takeOver(db);
    await age(grant);
    expect(await whileLeasing(db, ledger, () => settle())).toBe(0);
    expect(await readStates(db, grant)).toContain('in_doubt');
  });

  test('whose chunk somebody has locked leaves those of others to be settled', async () => {
    const { db } = database;
    const [locked, other] = [(await crash(db, 2)).grant, (await crash(db, 2)).grant];
    await takeOver(db);
    for (const grant of [locked, other]) await age(grant);
    const impatient = await createImpatientDatabase(database.url);
    const passedOver: ChunkKey[] = [];
    await db.transaction(async (tx) => {
      await lockChunk(tx, locked);
      const options = { settleAfterMs: 1_000, rules, limit: 100 };
      expect(await settleDoubt(impatient, { ...options, passedOver: (key) => passedOver.push(key) })).toBe(2);
    });
    await impatient.stop();
    expect(passedOver).toMatchObject([{ campaignId: locked.campaignId, chunkNo: 0 }]);
    expect(await readStates(db, other)).toEqual(['sent', 'sent', 'pending', 'pending']);
    expect(await settle()).toBe(2);
  });

  test('waits while a new grant works on the chunk', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(db, 2);
    await takeOver(db);
    await age(grant);
    const second = await leaseChunk(db, ledger, owner);
    expect(await settle()).toBe(0);
    await endGrant(db, second, { owner, rules });
    expect(await settle()).toBe(2);
  });
});
