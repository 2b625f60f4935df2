/** Whom the listener lets in, what it takes, and what it says when it can't. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import type { Database } from '../platform/mysql.ts';
import { createDatabase } from '../platform/mysql.ts';
import { signDeliveryId } from '../render/tokens.ts';
import { playDialogue, RawClient } from '../testing/smtp-sink/raw-client.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import type { FeedbackStageOptions } from './feedback-stage.ts';
import { readFixture } from './fixture-mail.ts';
import {
  createTestDelivery,
  readDelivery,
  sendMail,
  sendReport,
  startTestStage,
  type TestStage,
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

test('only signed return paths are recipients, one for each mail, and nothing is relayed', async () => {
  const stage = await startStage({ limits: { refusedRecipientsPerSession: 6 } });
  const { token, key } = await createTestDelivery(db, 'sent');
  const changed = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
  const elsewhere = signDeliveryId({ id: 1, secret: randomBytes(32) }, formatDeliveryId(key));
  await playDialogue(
    await RawClient.connect(stage.port),
    `S: 220 * ESMTP Sluice feedback
     C: HELO mx.customer.example
     S: 250 *
     C: MAIL FROM:<postmaster@customer.example>
     S: 250 *
     C: RCPT TO:<b+${changed}@bounces.example.com>
     S: 550 5.1.1 No such recipient
     C: RCPT TO:<b+${elsewhere}@bounces.example.com>
     S: 550 5.1.1 No such recipient
     C: RCPT TO:<${token}@bounces.example.com>
     S: 550 5.1.1 No such recipient
     C: RCPT TO:<someone@elsewhere.example>
     S: 550 5.1.1 No such recipient
     C: RCPT TO:<b+@bounces.example.com>
     S: 550 5.1.1 No such recipient
     C: AUTH PLAIN AGEAYg==
     S: 500 *
     C: STARTTLS
     S: 500 *
     C: DATA
     S: 503 *
     C: RCPT TO:<B+${token.toUpperCase()}@anything.example>
     S: 250 *
     C: RCPT TO:<b+${token}@another.example>
     S: 452 4.5.3 *
     C: RSET
     S: 250 *
     C: MAIL FROM:<>
     S: 250 *
     C: RCPT TO:<postmaster@bounces.example.com>
     S: 550 5.1.1 No such recipient
     C: RCPT TO:<abuse@bounces.example.com>
     S: 421 4.4.2 Too many unknown recipients
     S: <fin>`,
  );
  expect(await stage.counted('refusals', 'recipient')).toBe(7);
});

test('a mail that is too large is refused before and after it is sent', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  const head = readFixture('postfix-unknown-user', delivery);
  const mail = Buffer.concat([head, Buffer.alloc(1_100_000, 'padding\r\n')]);
  expect(await sendMail(stage, `b+${delivery.token}@bounces.example.com`, mail)).toMatch(/^552 5\.3\.4 /);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'sent' });
  await playDialogue(
    await RawClient.connect(stage.port),
    `S: 220 *
     C: HELO mx.customer.example
     S: 250 *
     C: MAIL FROM:<> SIZE=1048577
     S: 552 *`,
  );
});

test('while the database is away the sender is told to come again, and what it brings then is taken', async () => {
  const delivery = await createTestDelivery(db, 'sent');
  const away = createDatabase({ url: 'mysql://u:p@127.0.0.1:1/none', connections: 2, log: silentLog });
  const refusing = await startStage({ db: away });
  expect(await sendReport(refusing, 'postfix-unknown-user', delivery)).toMatch(/^451 4\.3\.0 /);
  expect(await refusing.counted('refusals', 'unavailable')).toBe(1);
  expect(await refusing.counted('reports', 'failed')).toBe(0);
  await away.stop();
  expect(await sendReport(await startStage(), 'postfix-unknown-user', delivery)).toMatch(/^250 /);
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'bounced' });
});

test('a ledger that hangs is not waited for without end', async () => {
  const delivery = await createTestDelivery(db, 'sent');
  const hanging = { ...db, transaction: () => new Promise<never>((_, reject) => setTimeout(reject, 500)) };
  const stage = await startStage({ db: hanging, limits: { commitMs: 50 } });
  expect(await sendReport(stage, 'postfix-unknown-user', delivery)).toMatch(/^451 4\.3\.0 /);
});

test('a client with too many sessions is told to come later, and lets others in when it goes', async () => {
  const stage = await startStage({ limits: { sessionsPerClient: 1 } });
  const first = await RawClient.connect(stage.port);
  expect(await first.reply()).toMatch(/^220 /);
  await playDialogue(await RawClient.connect(stage.port), 'S: 421 Too many connections*\nS: <fin>');
  expect(await first.ask('QUIT')).toMatch(/^221 /);
  await first.ending;
  first.close();
  await expect
    .poll(async () => (await RawClient.connect(stage.port)).reply(), { timeout: 5_000 })
    .toMatch(/^220 /);
});

test('a session ends after its time, however lively, and an idle one sooner', async () => {
  const stage = await startStage({ limits: { sessionMs: 400 } });
  const lively = await RawClient.connect(stage.port);
  await lively.reply();
  const chat = async () => {
    for (;;) expect(await lively.ask('NOOP')).toMatch(/^250 /);
  };
  await expect(chat()).rejects.toThrow();
  const quick = await startStage({ limits: { idleMs: 300 } });
  const idle = await RawClient.connect(quick.port);
  expect(await idle.reply()).toMatch(/^220 /);
  expect(await idle.reply()).toMatch(/^421 /);
});

test('a client that goes away in the middle of a mail leaves nothing behind', async () => {
  const stage = await startStage();
  const delivery = await createTestDelivery(db, 'sent');
  const client = await RawClient.connect(stage.port);
  await playDialogue(
    client,
    `S: 220 *
     C: HELO mx.customer.example
     S: 250 *
     C: MAIL FROM:<>
     S: 250 *
     C: RCPT TO:<b+${delivery.token}@bounces.example.com>
     S: 250 *
     C: DATA
     S: 354 *`,
  );
  await client.send(readFixture('postfix-unknown-user', delivery));
  client.close();
  await stage.stop();
  expect(await readDelivery(db, delivery)).toMatchObject({ state: 'sent' });
});
