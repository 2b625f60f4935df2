import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sql } from '../platform/mysql.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  createTestLedger,
  expireLease,
  leaseChunk,
  readStates,
  testAddressHash,
} from '../testing/test-ledger.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { recordIntent } from './intent.ts';
import {
  isOneStatement,
  longestRetryMs,
  type Result,
  recordPoison,
  recordResults,
  recordSkipped,
} from './outcome.ts';
import { takeOverExpired } from './takeover.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const owner = 'me';
const rules = { retryStepMs: 100 };

async function attempt(size: number): Promise<Grant> {
  const grant = await leaseChunk(database.db, await createTestLedger(database.db, { size }), owner);
  const seqs = Array.from({ length: size }, (_, seq) => seq);
  await recordIntent(database.db, { grant, owner, seqs, includedLists: [] });
  return grant;
}

const result = (seq: number, state: Result['state'], rest: Partial<Result> = {}): Result => ({
  ...{ seq, state, replyCode: 250, reason: null },
  ...rest,
});

async function readRow(grant: Grant, seq: number) {
  const [row] = await database.db.rows<{
    attempts: number;
    wait: number | null;
    reply_code: number | null;
    reason: string | null;
  }>(
    `SELECT attempts, ROUND(TIMESTAMPDIFF(MICROSECOND, outcome_at, next_attempt_at) / 1000) AS wait, reply_code, reason
     FROM deliveries WHERE ${chunkWhere} AND seq = ?`,
    [...chunkValues(grant), seq],
  );
  return row;
}

test('results are one statement when they are alike and suppress nobody', () => {
  const sent = [result(0, 'sent'), result(1, 'sent')];
  expect(isOneStatement(sent)).toBe(true);
  expect(isOneStatement([...sent, result(2, 'sent', { replyCode: 251 })])).toBe(true);
  expect(isOneStatement([...sent, result(2, 'bounced', { replyCode: 550 })])).toBe(false);
  expect(isOneStatement([result(0, 'bounced', { replyCode: 550, suppresses: true })])).toBe(false);
  expect(isOneStatement([])).toBe(false);
});

/** The statements it is given, on their way to the database. */
function listening(written: string[]): Sql {
  const { db } = database;
  return {
    rows: (statement, values) => db.rows(statement, values),
    first: (statement, values) => db.first(statement, values),
    write(statement, values) {
      written.push(statement);
      return db.write(statement, values);
    },
  };
}

const seqsTo = (size: number) => Array.from({ length: size }, (_, seq) => seq);

test('sixty-four messages that are accepted are one statement without a value for each', async () => {
  const grant = await attempt(64);
  const written: string[] = [];
  await recordResults(
    listening(written),
    grant,
    seqsTo(64).map((seq) => result(seq, 'sent')),
  );
  expect(written.map((statement) => statement.replace(/\s+/g, ' '))).toEqual([
    'UPDATE deliveries SET state = ?, reply_code = ?, reason = ?, outcome_at = NOW(3), next_attempt_at = NOW(3) + INTERVAL ? MICROSECOND ' +
      `WHERE ${chunkWhere} AND seq IN (?) AND state IN (1, 5) AND epoch = ?`,
  ]);
  expect(new Set(await readStates(database.db, grant))).toEqual(new Set(['sent']));
});

test('sixty-four refusals with a text, a code and a wait of their own are one statement', async () => {
  const grant = await attempt(64);
  await database.db.write(`UPDATE deliveries SET attempts = 2 WHERE ${chunkWhere}`, chunkValues(grant));
  const refused = seqsTo(64).map((seq) =>
    result(seq, 'deferred', {
      replyCode: 421 + (seq % 30),
      reason: `4.7.0 busy? [session ${seq}'s]`,
      retryInMs: 1_000 * (seq + 1),
      backsOff: true,
    }),
  );
  const written: string[] = [];
  expect(isOneStatement(refused)).toBe(true);
  await recordResults(listening(written), grant, refused);
  expect(written).toHaveLength(1);
  for (const seq of [0, 31, 63]) {
    const wait = 2_000 * (seq + 1);
    const { replyCode, reason } = refused[seq] as Result;
    expect(await readRow(grant, seq)).toEqual({ attempts: 2, wait, reply_code: replyCode, reason });
  }
});

test('a storm of all kinds is a statement for each kind', async () => {
  const grant = await attempt(64);
  const storm = seqsTo(64).map((seq) => {
    const reason = `session ${seq}`;
    if (seq % 4 === 0) return result(seq, 'bounced', { replyCode: 550, reason, suppresses: seq % 8 === 0 });
    if (seq % 4 === 1)
      return result(seq, 'deferred', { replyCode: 451, reason, retryInMs: 100 * seq, backsOff: true });
    if (seq % 4 === 2)
      return result(seq, 'deferred', { replyCode: 421, reason, retryInMs: 100 * seq, isAttemptFree: true });
    return result(seq, 'sent');
  });
  const written: string[] = [];
  await recordResults(listening(written), grant, storm);
  // Bounced, deferred, deferred for the destination's sake, sent; and the suppressions.
  expect(written).toHaveLength(5);
  expect((await readStates(database.db, grant)).slice(0, 4)).toEqual([
    'bounced',
    'deferred',
    'deferred',
    'sent',
  ]);
  expect(await readRow(grant, 60)).toMatchObject({ reply_code: 550, reason: 'session 60' });
  expect(await readRow(grant, 62)).toMatchObject({ attempts: 0, wait: 6_200, reason: 'session 62' });
});

test('a message that is sent leaves its row as long as it was, hence where it was', async () => {
  const { db } = database;
  const isNull =
    'CONCAT_WS(",", reply_code IS NULL, outcome_at IS NULL, next_attempt_at IS NULL, reason IS NULL, settled_by IS NULL)';
  const readNulls = (grant: Grant) =>
    db.first(`SELECT ${isNull} AS nulls FROM deliveries WHERE ${chunkWhere}`, chunkValues(grant));
  const grant = await leaseChunk(db, await createTestLedger(db, { size: 1 }), owner);
  const before = await readNulls(grant);
  await recordIntent(db, { grant, owner, seqs: [0], includedLists: [] });
  await recordResults(db, grant, [result(0, 'sent')]);
  expect(await readStates(db, grant)).toEqual(['sent']);
  expect(await readNulls(grant)).toEqual(before);
});

test('each kind of result is written, with its reply; writing it again changes nothing', async () => {
  const { db } = database;
  const grant = await attempt(5);
  const results = [
    result(0, 'sent'),
    result(1, 'bounced', { replyCode: 550, reason: '5.1.1 unknown' }),
    result(2, 'deferred', { replyCode: 451, reason: 'later', retryInMs: 5_000 }),
    result(3, 'in_doubt', { replyCode: 0, reason: 'connection lost' }),
    result(4, 'pending', { replyCode: 0 }),
  ];
  await recordResults(db, grant, results);
  const after = ['sent', 'bounced', 'deferred', 'in_doubt', 'pending'];
  expect(await readStates(db, grant)).toEqual(after);
  expect(await readRow(grant, 1)).toEqual({
    attempts: 1,
    wait: null,
    reply_code: 550,
    reason: '5.1.1 unknown',
  });
  expect(await readRow(grant, 2)).toEqual({ attempts: 1, wait: 5_000, reply_code: 451, reason: 'later' });
  expect(await readRow(grant, 4)).toEqual({ attempts: 0, wait: null, reply_code: 0, reason: null });
  await recordResults(db, grant, results);
  expect(await readStates(db, grant)).toEqual(after);
  expect(await readRow(grant, 4)).toMatchObject({ attempts: 0 });
});

test('waits double with the attempts and end at four hours; a refusal of ours burns no attempt', async () => {
  const { db } = database;
  const grant = await attempt(4);
  await db.write(
    `UPDATE deliveries SET attempts = ELT(seq + 1, 1, 3, 200, 3) WHERE ${chunkWhere}`,
    chunkValues(grant),
  );
  const deferred = { replyCode: 451, retryInMs: 60_000, backsOff: true };
  await recordResults(
    db,
    grant,
    [0, 1, 2].map((seq) => result(seq, 'deferred', deferred)),
  );
  await recordResults(db, grant, [result(3, 'deferred', { ...deferred, isAttemptFree: true })]);
  expect([
    await readRow(grant, 0),
    await readRow(grant, 1),
    await readRow(grant, 2),
    await readRow(grant, 3),
  ]).toMatchObject([
    { attempts: 1, wait: 60_000 },
    { attempts: 3, wait: 240_000 },
    { attempts: 200, wait: longestRetryMs },
    { attempts: 2, wait: 240_000 },
  ]);
});

test('an outcome that comes after the takeover is still the truth', async () => {
  const { db } = database;
  const grant = await attempt(3);
  await expireLease(db, grant);
  await takeOverExpired(db, rules, { limit: 10 });
  expect(await readStates(db, grant)).toEqual(['in_doubt', 'in_doubt', 'in_doubt']);
  await recordResults(db, grant, [result(0, 'sent'), result(1, 'bounced'), result(2, 'pending')]);
  expect(await readStates(db, grant)).toEqual(['sent', 'bounced', 'pending']);
});

test('an outcome of an epoch that the row no longer carries is not taken (epoch fence)', async () => {
  const { db } = database;
  const grant = await attempt(2);
  // Settled to pending and attempted again by another grant, as `resend` does.
  await db.write(`UPDATE deliveries SET epoch = epoch + 2 WHERE ${chunkWhere}`, chunkValues(grant));
  await recordResults(db, grant, [result(0, 'sent'), result(1, 'pending')]);
  expect(await readStates(db, grant)).toEqual(['attempting', 'attempting']);
});

test('what was settled stays settled', async () => {
  const { db } = database;
  const grant = await attempt(2);
  await recordResults(db, grant, [result(0, 'sent'), result(1, 'bounced')]);
  await recordResults(db, grant, [result(0, 'pending'), result(1, 'sent')]);
  expect(await readStates(db, grant)).toEqual(['sent', 'bounced']);
});

test('a dead address is suppressed in the same transaction, once, and only when the bounce was taken', async () => {
  const { db } = database;
  const grant = await attempt(3);
  await recordResults(db, grant, [result(2, 'sent')]);
  const dead = [0, 1, 2].map((seq) => result(seq, 'bounced', { suppresses: seq !== 1 }));
  await recordResults(db, grant, dead);
  await recordResults(db, grant, dead);
  const rows = await db.rows('SELECT address_hash, scope, reason FROM suppressions WHERE tenant_id = ?', [
    grant.tenantId,
  ]);
  expect(rows).toEqual([{ address_hash: testAddressHash(0, 0), scope: '*', reason: 'hard_bounce' }]);
});

test('render skips through the fence: at its epoch only, and never what was attempted', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { size: 3 });
  const grant = await leaseChunk(db, ledger, owner);
  await recordIntent(db, { grant, owner, seqs: [0], includedLists: [] });
  const skipped = [0, 1].map((seq) => ({ seq, reason: 'x'.repeat(300) }));
  await recordSkipped(db, { ...grant, epoch: grant.epoch - 1 }, skipped);
  expect(await readStates(db, grant)).toEqual(['attempting', 'pending', 'pending']);
  await recordSkipped(db, grant, skipped);
  expect(await readStates(db, grant)).toEqual(['attempting', 'skipped', 'pending']);
});

test('those who are skipped for a reason of their own are one statement', async () => {
  const grant = await leaseChunk(database.db, await createTestLedger(database.db, { size: 20 }), owner);
  const written: string[] = [];
  const skipped = seqsTo(20).map((seq) => ({ seq, reason: `render_error: no date: ${seq}` }));
  await recordSkipped(listening(written), grant, skipped);
  expect(written).toHaveLength(1);
  expect(await readRow(grant, 0)).toMatchObject({ reason: 'render_error: no date: 0' });
  expect(await readRow(grant, 19)).toMatchObject({ reason: 'render_error: no date: 19' });
});

test('poison is skipped alone, and ends the search for it', async () => {
  const { db } = database;
  const grant = await leaseChunk(db, await createTestLedger(db, { size: 3 }), owner);
  await db.write('UPDATE chunks SET crashes = 10 WHERE campaign_id = ?', [grant.campaignId]);
  await recordPoison(db, grant, 1);
  expect(await readStates(db, grant)).toEqual(['pending', 'skipped', 'pending']);
  expect(await readRow(grant, 1)).toMatchObject({ reason: 'poison' });
  expect(await db.rows('SELECT crashes FROM chunks WHERE campaign_id = ?', [grant.campaignId])).toEqual([
    { crashes: 0 },
  ]);
});
