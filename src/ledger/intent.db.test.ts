import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Sql } from '../platform/mysql.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  dispatchChunk,
  expireLease,
  leaseChunk,
  readStates,
  type TestLedger,
  testAddressHash,
} from '../testing/test-ledger.ts';
import { beginRendering, claimGrant } from './claim.ts';
import type { Grant } from './grant.ts';
import { type IntentResult, recordIntent } from './intent.ts';
import { takeOverExpired } from './takeover.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const owner = 'me';
const rules = { retryStepMs: 100 };

function intend(grant: Grant, seqs: readonly number[], sql: Sql = database.db): Promise<IntentResult> {
  return recordIntent(sql, { grant, owner, seqs, includedLists: [1] });
}

/** The recipient of `seq` is on these lists. */
function join({ tenantId }: TestLedger, seq: number, lists: readonly number[]) {
  return database.db.write('INSERT INTO list_members (tenant_id, list_id, profile_id, added_at) VALUES ?', [
    lists.map((list) => [tenantId, list, seq + 1, new Date()]),
  ]);
}

function suppress({ tenantId }: TestLedger, seq: number, scope = '*') {
  return database.db.write(
    `INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at) VALUES (?, ?, ?, 'complaint', 'api', NOW(3))`,
    [tenantId, testAddressHash(0, seq), scope],
  );
}

function change({ campaignId }: TestLedger, assignment: string) {
  return database.db.write(`UPDATE campaigns SET ${assignment} WHERE id = ?`, [campaignId]);
}

test('what is ours becomes attempting, at our epoch, with one more attempt', async () => {
  const { db } = database;
  const grant = await leaseChunk(db, await createTestLedger(db, { size: 4 }), owner);
  expect(await intend(grant, [1, 2])).toEqual({ granted: [1, 2], suppressed: [] });
  expect(await readStates(db, grant)).toEqual(['pending', 'attempting', 'attempting', 'pending']);
  const rows = await db.rows(
    'SELECT epoch, attempts FROM deliveries WHERE campaign_id = ? AND seq IN (1, 2)',
    [grant.campaignId],
  );
  expect(rows).toEqual([
    { epoch: 1, attempts: 1 },
    { epoch: 1, attempts: 1 },
  ]);
});

test('an intent whose commit was not heard of may be repeated', async () => {
  const grant = await leaseChunk(database.db, await createTestLedger(database.db), owner);
  await intend(grant, [0, 1]);
  expect((await intend(grant, [0, 1])).granted).toEqual([0, 1]);
});

test('the attempts stop at what their column holds', async () => {
  const { db } = database;
  const grant = await leaseChunk(db, await createTestLedger(db), owner);
  await db.write('UPDATE deliveries SET attempts = 255 WHERE campaign_id = ?', [grant.campaignId]);
  expect((await intend(grant, [0])).granted).toEqual([0]);
});

describe('nothing may start', () => {
  async function expectNothing(grant: Grant, stop: IntentResult['stop']): Promise<void> {
    const before = await readStates(database.db, grant);
    expect(await intend(grant, [0, 1])).toEqual({ granted: [], suppressed: [], stop });
    expect(await readStates(database.db, grant)).toEqual(before);
  }

  test('on a chunk that was not claimed', async () => {
    const grant = await dispatchChunk(database.db, await createTestLedger(database.db));
    await expectNothing(grant, 'lost');
  });

  test('on a chunk that this process renders, and that was not claimed', async () => {
    const grant = await dispatchChunk(database.db, await createTestLedger(database.db));
    await beginRendering(database.db, grant, owner);
    await expectNothing(grant, 'lost');
  });

  test('at an epoch that has passed, though its owner is the same (epoch fence)', async () => {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const stale = await leaseChunk(db, ledger, owner);
    await expireLease(db, stale);
    await takeOverExpired(db, rules, { limit: 10 });
    await leaseChunk(db, ledger, owner);
    await expectNothing(stale, 'lost');
  });

  test('on a chunk of another owner at the same epoch', async () => {
    const grant = await leaseChunk(database.db, await createTestLedger(database.db), 'other');
    await expectNothing(grant, 'lost');
  });

  test('of a campaign that is paused, cancelled, failed or past its deadline', async () => {
    const ledger = await createTestLedger(database.db);
    const grant = await leaseChunk(database.db, ledger, owner);
    await change(ledger, 'paused_at = NOW(3)');
    await expectNothing(grant, 'paused');
    await change(ledger, "paused_at = NULL, state = 'cancelled'");
    await expectNothing(grant, 'stopped');
    await change(ledger, "state = 'failed'");
    await expectNothing(grant, 'stopped');
    await change(ledger, "state = 'sending', deadline_at = NOW(3) - INTERVAL 1 SECOND");
    await expectNothing(grant, 'expired');
    await change(ledger, "state = 'expanding', deadline_at = NOW(3) + INTERVAL 1 HOUR");
    expect((await intend(grant, [0, 1])).granted).toEqual([0, 1]);
  });

  test('for rows that someone else has settled', async () => {
    const { db } = database;
    const grant = await leaseChunk(db, await createTestLedger(db), owner);
    await db.write('UPDATE deliveries SET state = 3 WHERE campaign_id = ? AND seq < 2', [grant.campaignId]);
    await expectNothing(grant, 'gone');
  });
});

test('suppressed addresses are left out and settled, by everything or by the list; another list does not count', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { size: 5 });
  const grant = await leaseChunk(db, ledger, owner);
  await suppress(ledger, 1);
  await suppress(ledger, 2, 'list:1');
  await suppress(ledger, 3, 'list:2');
  const result = await intend(grant, [0, 1, 2, 3]);
  expect(result).toEqual({ granted: [0, 3], suppressed: [1, 2] });
  const rows = await db.rows('SELECT seq, reason FROM deliveries WHERE campaign_id = ? AND state = 6', [
    grant.campaignId,
  ]);
  expect(rows).toEqual([
    { seq: 1, reason: 'complaint' },
    { seq: 2, reason: 'complaint' },
  ]);
});

describe('of a campaign to lists 1 and 2', () => {
  const both = [1, 2];
  let ledger: TestLedger;
  let grant: Grant;
  beforeEach(async () => {
    ledger = await createTestLedger(database.db);
    grant = await leaseChunk(database.db, ledger, owner);
  });
  const intendBoth = (seqs: readonly number[]) =>
    recordIntent(database.db, { grant, owner, seqs, includedLists: both });

  test('whoever left the only one that they are on is suppressed, with the reason', async () => {
    await join(ledger, 0, [1]);
    await join(ledger, 1, [1, 3]);
    await join(ledger, 2, [2]);
    await suppress(ledger, 0, 'list:1');
    await suppress(ledger, 1, 'list:1');
    expect(await intendBoth([0, 1, 2])).toEqual({ granted: [2], suppressed: [0, 1] });
    const rows = await database.db.rows(
      'SELECT seq, reason FROM deliveries WHERE campaign_id = ? AND state = 6',
      [grant.campaignId],
    );
    expect(rows).toEqual([
      { seq: 0, reason: 'complaint' },
      { seq: 1, reason: 'complaint' },
    ]);
  });

  test('whoever left one and is on the other gets it by way of that one, until they leave it too', async () => {
    await join(ledger, 0, both);
    await join(ledger, 1, both);
    for (const seq of [0, 1]) await suppress(ledger, seq, 'list:2');
    expect(await intendBoth([0])).toEqual({ granted: [0], suppressed: [] });
    await suppress(ledger, 1, 'list:1');
    expect(await intendBoth([1])).toEqual({ granted: [], suppressed: [1] });
  });

  test('whoever left a list that it does not go to gets it, on any list or none', async () => {
    await join(ledger, 0, [1, 3]);
    for (const seq of [0, 1]) await suppress(ledger, seq, 'list:3');
    expect(await intendBoth([0, 1, 2])).toEqual({ granted: [0, 1, 2], suppressed: [] });
  });

  test('whoever is suppressed for everything gets nothing by way of any', async () => {
    await join(ledger, 0, both);
    await suppress(ledger, 0);
    expect(await intendBoth([0])).toEqual({ granted: [], suppressed: [0] });
  });

  test('lists of another tenant are no way to it', async () => {
    await join({ ...ledger, tenantId: (ledger.tenantId + 1) as TestLedger['tenantId'] }, 0, [2]);
    await join(ledger, 0, [1]);
    await suppress(ledger, 0, 'list:1');
    expect(await intendBoth([0])).toEqual({ granted: [], suppressed: [0] });
  });
});

test("another tenant's suppression of the same hash does not count", async () => {
  const { db } = database;
  const other = await createTestLedger(db);
  await suppress(other, 0);
  const grant = await leaseChunk(db, await createTestLedger(db), owner);
  expect((await intend(grant, [0])).granted).toEqual([0]);
});

test('rows that are suppressed while the campaign is paused are not lost sight of', async () => {
  const ledger = await createTestLedger(database.db);
  const grant = await leaseChunk(database.db, ledger, owner);
  await suppress(ledger, 0);
  await change(ledger, 'paused_at = NOW(3)');
  expect(await intend(grant, [0, 1])).toEqual({ granted: [], suppressed: [0], stop: 'paused' });
});

describe('until the intent is committed', () => {
  /** Runs `contender` while an intent is open; it must wait, hence fail at once when it may not wait. */
  async function expectToWait(contender: (ledger: TestLedger) => string): Promise<void> {
    const { db } = database;
    const ledger = await createTestLedger(db);
    const grant = await leaseChunk(db, ledger, owner);
    await db.transaction(async (tx) => {
      await intend(grant, [0], tx);
      await expect(db.rows(`${contender(ledger)} FOR UPDATE NOWAIT`)).rejects.toMatchObject({
        errno: lockNoWait,
      });
    });
    await db.rows(`${contender(ledger)} FOR UPDATE NOWAIT`);
  }
  /** 3572 on MySQL, 1205 on MariaDB. */
  const lockNoWait = expect.toSatisfy((errno) => errno === 3572 || errno === 1205);

  test('a pause or a cancellation waits', () =>
    expectToWait(({ campaignId }) => `SELECT 1 FROM campaigns WHERE id = ${campaignId}`));

  test('a takeover waits', () =>
    expectToWait(
      ({ campaignId, tenantId }) =>
        `SELECT 1 FROM chunks WHERE tenant_id = ${tenantId} AND campaign_id = ${campaignId}`,
    ));
});

test('a claim that comes after the takeover of a doubled dispatch gets rows that the first one never got', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { size: 2 });
  const first = await leaseChunk(db, ledger, owner);
  await intend(first, [0]);
  await expireLease(db, first);
  await takeOverExpired(db, rules, { limit: 10 });
  const second = await dispatchChunk(db, ledger);
  await claimGrant(db, second, owner);
  expect(await intend(second, [0, 1])).toMatchObject({ granted: [1], stop: 'gone' });
  expect(await readStates(db, second)).toEqual(['in_doubt', 'attempting']);
});
