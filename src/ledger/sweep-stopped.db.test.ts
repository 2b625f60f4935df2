import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  leaseChunk,
  readChunk,
  readStates,
  type TestLedger,
} from '../testing/test-ledger.ts';
import { assertNoDrift, crash, emptyLedger, owner, rules, takeOver, whileLeasing } from './crash-fixture.ts';
import { endGrant } from './end-grant.ts';
import { recordIntent } from './intent.ts';
import { recountChunk } from './late-truth.ts';
import { recordResults } from './outcome.ts';
import { chunkStates } from './states.ts';
import { sweepStopped } from './sweep-stopped.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyLedger(database.db));
afterEach(() => assertNoDrift(database.db));
afterAll(() => database.drop());

describe('a campaign that was cancelled', () => {
  const sweep = (
    { tenantId, campaignId }: TestLedger,
    becomes: 'cancelled' | 'expired' = 'cancelled',
    limit = 100,
  ) => sweepStopped(database.db, { tenantId, campaignId, becomes }, { limit });

  test('has its rest settled chunk by chunk; what is on the wire is left to end', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db, { chunks: 3, size: 2 });
    const grant = await leaseChunk(db, ledger, owner, 1);
    await recordIntent(db, { grant, owner, seqs: [0], includedLists: [] });
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
    await whileLeasing(database.db, ledger, () => sweep(ledger));
    expect(await readStates(database.db, ledger.key())).toEqual(['pending', 'pending']);
  });

  test('keeps its doubts until they are settled; deferred rows are cancelled, too', async () => {
    const { db } = database;
    const { ledger, grant } = await crash(db, 2);
    await takeOver(db);
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
