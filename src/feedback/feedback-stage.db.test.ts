/** What reports do to the ledger, from the mail to the rows. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import { recordResults } from '../ledger/outcome.ts';
import type { Database } from '../platform/mysql.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import type { FeedbackStageOptions } from './feedback-stage.ts';
import { readFixture } from './fixture-mail.ts';
import { createTestDeliveries } from './test-deliveries.ts';
import {
  createTestDelivery,
  expectCountsToAgree,
  readDelivery,
  readSuppressions,
  sendMail,
  sendReport,
  startTestStage,
  type TestStage,
  testKeys,
} from './test-stage.ts';

let database: TestDatabase;
let db: Database;
let stages: TestStage[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});

afterEach(async () => {
  await Promise.all(stages.map((stage) => stage.stop()));
  stages = [];
});

afterAll(() => database.drop());

async function startStage(options: Partial<FeedbackStageOptions> = {}): Promise<TestStage> {
  const stage = await startTestStage(db, options);
  stages.push(stage);
  return stage;
}

test('a dead address bounces its delivery and is suppressed for the tenant', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  expect(await sendReport(stage, 'postfix-unknown-user', delivery)).toMatch(/^250 2\.6\.0 /);
  expect(await readDelivery(db, delivery)).toEqual({
    state: 'bounced',
    reply_code: 550,
    reason: '5.1.1 <***>: Recipient address rejected: User unknown in virtual mailbox table',
    settled_by: null,
  });
  expect(await readSuppressions(db, delivery)).toEqual([
    { address_hash: delivery.addressHash, reason: 'hard_bounce', source: 'dsn', scope: '*' },
  ]);
  await expectCountsToAgree(db, delivery);
  expect(await stage.counted('reports', 'failed')).toBe(1);
});

test.each(['gmail-mailbox-full', 'gmail-policy', 'postfix-expired'])(
  '%s bounces its delivery and suppresses nobody',
  async (fixture) => {
    const delivery = await createTestDelivery(db, 'sent');
    await sendReport(await startStage(), fixture, delivery);
    expect(await readDelivery(db, delivery)).toMatchObject({ state: 'bounced' });
    expect(await readSuppressions(db, delivery)).toEqual([]);
    await expectCountsToAgree(db, delivery);
  },
);

test.each([
  ['in_doubt', 'postfix-unknown-user', 'bounced'],
  ['in_doubt', 'postfix-success', 'sent'],
  ['in_doubt', 'arf-yahoo-abuse', 'sent'],
  ['attempting', 'postfix-unknown-user', 'bounced'],
  ['attempting', 'postfix-success', 'sent'],
  ['deferred', 'postfix-unknown-user', 'bounced'],
] as const)('%s: %s makes it %s, settled by feedback', async (state, fixture, settled) => {
  const delivery = await createTestDelivery(db, state);
  await sendReport(await startStage(), fixture, delivery);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: settled, settled_by: 'feedback' });
  await expectCountsToAgree(db, delivery);
});

test('a delivery that waits to be sent again because it was in doubt is settled instead', async () => {
  const stage = await startStage();
  const delivered = await createTestDelivery(db, 'pending', { pendingAttempts: 1 });
  await sendReport(stage, 'postfix-success', delivered);
  expect(await readDelivery(db, delivered)).toMatchObject({ state: 'sent', settled_by: 'feedback' });
  await expectCountsToAgree(db, delivered);
});

test('a report about a delivery that was never attempted does nothing', async () => {
  const delivery = await createTestDelivery(db, 'pending');
  await sendReport(await startStage(), 'postfix-unknown-user', delivery);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'pending', settled_by: null });
  expect(await readSuppressions(db, delivery)).toEqual([]);
});

test('an outcome that comes after the bounce changes nothing', async () => {
  const delivery = await createTestDelivery(db, 'attempting');
  await sendReport(await startStage(), 'postfix-unknown-user', delivery);
  const grant = { ...delivery.key, epoch: 1, n: 1 };
  await recordResults(db, grant, [{ seq: 0, state: 'sent', replyCode: 250, reason: null }]);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'bounced', reply_code: 550 });
});

test('a delay is counted and changes nothing', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'in_doubt');
  expect(await sendReport(stage, 'postfix-delayed', delivery)).toMatch(/^250 /);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'in_doubt', settled_by: null });
  expect(await stage.counted('reports', 'delayed')).toBe(1);
});

test('a complaint suppresses, more strongly than a bounce, and the delivery stays sent', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  await sendReport(stage, 'arf-yahoo-abuse', delivery);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'sent', settled_by: null });
  await sendReport(stage, 'postfix-unknown-user', delivery);
  expect(await readSuppressions(db, delivery)).toEqual([
    { address_hash: delivery.addressHash, reason: 'complaint', source: 'arf', scope: '*' },
  ]);
  await expectCountsToAgree(db, delivery);
});

test('a complaint that came to another return path is about the message it encloses', async () => {
  const [first, second] = await createTestDeliveries({ db, keys: testKeys, states: ['sent', 'sent'] });
  await sendReport(await startStage(), 'arf-redacted-headers', first!, second!);
  const hashes = (await readSuppressions(db, first!)).map((row) => row.address_hash);
  expect(hashes).toEqual([first!.addressHash]);
});

test('the last doubt of a chunk, once settled, closes the chunk', async () => {
  const [delivery] = await createTestDeliveries({ db, keys: testKeys, states: ['in_doubt', 'sent'] });
  await sendReport(await startStage(), 'postfix-success', delivery!);
  const chunk = await db.first('SELECT state FROM chunks WHERE tenant_id = ?', [delivery!.key.tenantId]);
  expect(chunk).toEqual({ state: 3 });
});

test('a chunk that someone works on keeps its lease', async () => {
  const states = ['sent', 'pending'] as const;
  const [delivery] = await createTestDeliveries({ db, keys: testKeys, states, chunkState: 'leased' });
  await sendReport(await startStage(), 'postfix-unknown-user', delivery!);
  const chunk = await db.first('SELECT state, epoch, n_bounced FROM chunks WHERE tenant_id = ?', [
    delivery!.key.tenantId,
  ]);
  expect(chunk).toEqual({ state: 2, epoch: 1, n_bounced: 1 });
  await expectCountsToAgree(db, delivery!);
});

test('the same report twice, and ten times at once, changes nothing more', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  const everything = () =>
    Promise.all(
      ['deliveries', 'chunks', 'campaign_counters', 'suppressions'].map((table) =>
        db.rows(`SELECT * FROM ${table} WHERE tenant_id = ?`, [delivery.key.tenantId]),
      ),
    );
  await sendReport(stage, 'postfix-unknown-user', delivery);
  const before = await everything();
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => sendReport(stage, 'postfix-unknown-user', delivery)),
  );
  expect(replies.every((reply) => reply.startsWith('250 '))).toBe(true);
  expect(await everything()).toEqual(before);
});

test('ten bounces of one chunk at once are all counted', async () => {
  const stage = await startStage();
  const deliveries = await createTestDeliveries({ db, keys: testKeys, states: new Array(10).fill('sent') });
  await Promise.all(deliveries.map((delivery) => sendReport(stage, 'postfix-unknown-user', delivery)));
  await expectCountsToAgree(db, deliveries[0]!);
  expect(await readSuppressions(db, deliveries[0]!)).toHaveLength(10);
});

test('a delivery that is no longer kept is counted and its report taken', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  await db.write('DELETE FROM chunks WHERE tenant_id = ?', [delivery.key.tenantId]);
  await db.write('DELETE FROM deliveries WHERE tenant_id = ?', [delivery.key.tenantId]);
  expect(await sendReport(stage, 'postfix-unknown-user', delivery)).toMatch(/^250 /);
  expect(await stage.counted('reports', 'gone')).toBe(1);
  expect(await readSuppressions(db, delivery)).toEqual([]);
});

test("one tenant's token reaches no row of another's, whatever the report says", async () => {
  const stage = await startStage();
  const mine = await createTestDelivery(db, 'sent');
  const theirs = await createTestDelivery(db, 'sent');
  const [, mac] = mine.token.split('.');
  const forged = `${formatDeliveryId(theirs.key)}.${mac}`;
  // In the address it is refused; in a complaint's headers it is not believed, and the complaint is about the return path's own.
  await expect(sendMail(stage, `b+${forged}@x.example`, Buffer.from(''))).rejects.toThrow('550 5.1.1');
  const complaint = readFixture('arf-yahoo-abuse', { token: forged, other: mine.token });
  await sendMail(stage, `b+${mine.token}@x.example`, complaint);
  // A bounce names another's delivery in everything but the address it came to.
  const bounce = readFixture('postfix-unknown-user', { token: theirs.token });
  await sendMail(stage, `b+${mine.token}@x.example`, bounce);
  expect(await readDelivery(db, theirs)).toMatchObject({ state: 'sent' });
  expect(await readSuppressions(db, theirs)).toEqual([]);
  expect(await readDelivery(db, mine)).toMatchObject({ state: 'bounced' });
});
