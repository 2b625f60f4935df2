import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assertCounts } from '../testing/assert-ledger.ts';
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
  type TestLedger,
  type TestLedgerOptions,
} from '../testing/test-ledger.ts';
import { beginRendering, claimGrant, finishRendering, renewLeases } from './claim.ts';
import { endGrant } from './end-grant.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { recordIntent } from './intent.ts';
import { recountChunk } from './late-truth.ts';
import { recordResults } from './outcome.ts';
import { settleDoubt } from './settle-doubt.ts';
import { chunkStates } from './states.ts';
import { sweepStopped } from './sweep-stopped.ts';
import { takeOverExpired, toChunkKey } from './takeover.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  for (const table of ['campaigns', 'campaign_counters', 'chunks', 'deliveries', 'lanes'])
    await database.db.write(`DELETE FROM ${table}`);
});
/** Recounting each chunk settles what is under way; a counter that has drifted from its chunks stays wrong. */
afterEach(async () => {
  const { db } = database;
  const rows = await db.rows<Parameters<typeof toChunkKey>[0]>(
    'SELECT tenant_id, campaign_id, chunk_no, part FROM chunks',
  );
  for (const row of rows) await recountChunk(db, toChunkKey(row), rules);
  await assertCounts(db);
});
afterAll(() => database.drop());

const owner = 'me';
const rules = { retryStepMs: 100 };

/** A worker that died with `attempting` messages on the wire. */
async function crash(
  attempting: number,
  options: TestLedgerOptions = {},
): Promise<{ ledger: TestLedger; grant: Grant }> {
  const { db } = database;
  const ledger = await createTestLedger(db, { size: 4, ...options });
  const grant = await leaseChunk(db, ledger, owner);
  const seqs = Array.from({ length: attempting }, (_, seq) => seq);
  if (attempting > 0) await recordIntent(db, { grant, owner, seqs, scopes: ['*'] });
  await expireLease(db, grant);
  return { ledger, grant };
}

/** Starts `contender` while a worker takes the chunk: it has read it as pending and waits for its lock. */
async function whileLeasing<T>(ledger: TestLedger, contender: () => Promise<T>): Promise<T> {
  const { db } = database;
  let contending: Promise<T> | undefined;
  await db.transaction(async (tx) => {
    await tx.write(`UPDATE chunks SET state = ${chunkStates.leased}, owner = 'me' WHERE campaign_id = ?`, [
      ledger.campaignId,
    ]);
    contending = contender();
    await waitForLockWait(db, ledger.campaignId);
  });
  return contending as Promise<T>;
}

const takeOver = () => takeOverExpired(database.db, rules, { limit: 100 });

describe('a lease that is over', () => {
  test('puts what was attempted in doubt and the rest back, at a higher epoch', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(2);
    await db.write('UPDATE lanes SET next_due_at = NULL');
    expect(await takeOver()).toMatchObject([{ campaignId: grant.campaignId, inDoubt: 2, wasLeased: true }]);
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

  test('of a worker or a renderer that had nothing in doubt is a crash', async () => {
    const { db } = database;
    const { grant } = await crash(0);
    await takeOver();
    expect(await readChunk(db, grant)).toMatchObject({ crashes: 1 });
    const rendering = await dispatchChunk(db, await createTestLedger(db));
    expect(await beginRendering(db, rendering, 'renderer')).toBe(true);
    await expireLease(db, rendering);
    await takeOver();
    expect(await readChunk(db, rendering)).toMatchObject({ crashes: 1, owner: null });
  });

  test('of messages that were rendered and that no send worker came for is no crash', async () => {
    const { db } = database;
    const grant = await dispatchChunk(db, await createTestLedger(db));
    await beginRendering(db, grant, 'renderer');
    await finishRendering(db, grant, 'renderer');
    expect((await readChunk(db, grant)).lease_in).toBeGreaterThan(28_000);
    await expireLease(db, grant);
    await takeOver();
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.pending, crashes: 0 });
  });

  test('of a dispatched chunk is no crash', async () => {
    const { db } = database;
    const grant = await dispatchChunk(db, await createTestLedger(db));
    await expireLease(db, grant);
    expect(await takeOver()).toMatchObject([{ inDoubt: 0, wasLeased: false }]);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.pending, crashes: 0 });
    expect(await claimGrant(db, grant, owner)).toBe(false);
  });

  test('is taken over once by two that look at the same moment', async () => {
    const { grant } = await crash(1);
    const both = await Promise.all([takeOver(), takeOver()]);
    expect(both.flat()).toHaveLength(1);
    expect(await readChunk(database.db, grant)).toMatchObject({ epoch: grant.epoch + 1 });
  });

  test('that is renewed while the takeover waits for the chunk is left alone', async () => {
    const { db } = database;
    const { grant } = await crash(1);
    let taking: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await renewLeases(tx, [grant], owner);
      taking = takeOver();
      await waitForLockWait(db, grant.campaignId);
    });
    expect(await taking).toEqual([]);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.leased, owner });
  });

  test('that is not over is not taken', async () => {
    await leaseChunk(database.db, await createTestLedger(database.db), owner);
    expect(await takeOver()).toEqual([]);
  });
});

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
    const { grant } = await crash(2);
    await takeOver();
    expect(await settle()).toBe(0);
    expect(await readStates(database.db, grant)).toContain('in_doubt');
    await age(grant);
    await settle();
  });

  test('counts as sent by assume_delivered, and the chunk is done with the last', async () => {
    const { db } = database;
    const { grant } = await crash(4);
    await takeOver();
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
    const { ledger, grant } = await crash(4, { policy: 'resend' });
    await takeOver();
    await age(grant);
    await db.write('UPDATE lanes SET next_due_at = NULL');
    expect(await settle()).toBe(4);
    expect(await readStates(db, grant)).toEqual(['pending', 'pending', 'pending', 'pending']);
    expect(await readLaneDueIn(db, ledger.lane)).toBeLessThanOrEqual(0);
  });

  test('is settled by the truth when that comes first, and the policy finds nothing', async () => {
    const { db } = database;
    const { grant } = await crash(4, { policy: 'resend' });
    await takeOver();
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
    const sent = await crash(4);
    const retracted = await crash(4);
    await takeOver();
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
    const { grant } = await crash(2);
    await takeOver();
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
    const { grant } = await crash(2);
    await takeOver();
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
    const { ledger, grant } = await crash(2);
    await takeOver();
    await age(grant);
    expect(await whileLeasing(ledger, () => settle())).toBe(0);
    expect(await readStates(db, grant)).toContain('in_doubt');
  });

  test('waits while a new grant works on the chunk', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(2);
    await takeOver();
    await age(grant);
    const second = await leaseChunk(db, ledger, owner);
    expect(await settle()).toBe(0);
    await endGrant(db, second, { owner, rules });
    expect(await settle()).toBe(2);
  });
});

describe('a campaign that was cancelled', () => {
  const sweep = (
    { tenantId, campaignId }: TestLedger,
    becomes: 'cancelled' | 'expired' = 'cancelled',
    limit = 100,
  ) => sweepStopped(database.db, { tenantId, campaignId, becomes }, limit);

  test('has its rest settled chunk by chunk; what is on the wire is left to end', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 3, size: 2 });
    const grant = await leaseChunk(db, ledger, owner, 1);
    await recordIntent(db, { grant, owner, seqs: [0], scopes: ['*'] });
    expect(await sweep(ledger, 'cancelled', 1)).toBe(1);
    expect(await sweep(ledger)).toBe(1);
    expect(await sweep(ledger)).toBe(0);
    expect(await readStates(db, ledger.key(0))).toEqual(['cancelled', 'cancelled']);
    expect(await readStates(db, ledger.key(1))).toEqual(['attempting', 'pending']);
    await recordResults(db, grant, [{ seq: 0, state: 'sent', replyCode: 250, reason: null }]);
    await endGrant(db, grant, { owner, rules });
    expect(await sweep(ledger)).toBe(1);
    expect(await readStates(db, ledger.key(1))).toEqual(['sent', 'cancelled']);
    expect(await readChunk(db, ledger.key(1))).toMatchObject({ state: chunkStates.done });
  });

  test('leaves a chunk alone that is claimed while the sweep waits for its lock', async () => {
    const ledger = await createTestLedger(database.db, { size: 2 });
    await whileLeasing(ledger, () => sweep(ledger));
    expect(await readStates(database.db, ledger.key())).toEqual(['pending', 'pending']);
  });

  test('keeps its doubts until they are settled; deferred rows are cancelled, too', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(2);
    await takeOver();
    await recordResults(db, grant, [
      { seq: 1, state: 'deferred', replyCode: 451, reason: null, retryInMs: 1_000 },
    ]);
    await recountChunk(db, grant, rules);
    await sweep(ledger);
    expect(await readStates(db, grant)).toEqual(['in_doubt', 'cancelled', 'cancelled', 'cancelled']);
    expect(await readChunk(db, grant)).toMatchObject({ state: chunkStates.pending });
  });

  test('or overdue: its rest is expired', async () => {
    const ledger = await createTestLedger(database.db, { size: 2 });
    await sweep(ledger, 'expired');
    expect(await readStates(database.db, ledger.key())).toEqual(['expired', 'expired']);
  });
});
