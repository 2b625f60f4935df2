/** A running stage and what tests ask of it: mails come in by SMTP, the ledger is read afterwards. */
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { deriveKeys } from '../keys.ts';
import { type DeliveryState, deliveryStateName, deliveryStateNames } from '../ledger/states.ts';
import type { Database } from '../platform/mysql.ts';
import { playDialogue, RawClient } from '../testing/smtp-sink/raw-client.ts';
import { silentLog } from '../testing/test-database.ts';
import { createFeedbackMetrics } from './feedback-metrics.ts';
import { createFeedbackStage, type FeedbackStage, type FeedbackStageOptions } from './feedback-stage.ts';
import { readFixture } from './fixture-mail.ts';
import { createTestDeliveries, type TestDelivery } from './test-deliveries.ts';

export const testKeys = deriveKeys(randomBytes(32));

export interface TestStage extends FeedbackStage {
  /** Of a metric, for one label's value. */
  counted(name: 'reports' | 'refusals', label: string): Promise<number>;
}

export async function startTestStage(
  db: Database,
  options: Partial<FeedbackStageOptions> = {},
): Promise<TestStage> {
  const registry = new Registry();
  const stage = createFeedbackStage({
    db,
    log: silentLog,
    signingKeys: [testKeys.signing],
    rules: { retryStepMs: 100 },
    metrics: createFeedbackMetrics(registry),
    host: '127.0.0.1',
    port: 0,
    ...options,
    limits: { closeMs: 20, ...options.limits },
  });
  await stage.start();
  return {
    port: stage.port,
    start: () => stage.start(),
    stop: () => stage.stop(),
    async counted(name, label) {
      const line = new RegExp(`sluice_feedback_${name}_total\\{[^}]*"${label}"[^}]*\\} (\\d+)`);
      return Number(line.exec(await registry.metrics())?.[1] ?? 0);
    },
  };
}

/** One delivery in this state, among others of its chunk. */
export async function createTestDelivery(
  db: Database,
  state: DeliveryState,
  options: { pendingAttempts?: number } = {},
): Promise<TestDelivery> {
  const states = [state, 'sent', 'pending'] as const;
  const [delivery] = await createTestDeliveries({ db, keys: testKeys, states, ...options });
  return delivery as TestDelivery;
}

/** One mail in a session of its own; answers the last reply. */
export async function sendMail(stage: FeedbackStage, recipient: string, mail: Buffer): Promise<string> {
  const client = await RawClient.connect(stage.port);
  try {
    await playDialogue(
      client,
      `S: 220 *
       C: EHLO mx.customer.example
       S: 250-*
       S: 250-*
       S: 250-*
       S: 250-*
       S: 250-*
       S: 250 *
       C: MAIL FROM:<>
       S: 250 2.1.0 *
       C: RCPT TO:<${recipient}>
       S: 250 2.1.5 *
       C: DATA
       S: 354 *`,
    );
    await client.send(Buffer.concat([mail, Buffer.from('\r\n.\r\n')]));
    return await client.reply();
  } finally {
    client.close();
  }
}

/** A fixture about one delivery, sent to its return path or to another's; answers the last reply. */
export function sendReport(
  stage: FeedbackStage,
  fixture: string,
  about: TestDelivery,
  to = about,
): Promise<string> {
  const mail = readFixture(fixture, { token: about.token, other: to.token });
  return sendMail(stage, `b+${to.token}@bounces.example.com`, mail);
}

export async function readDelivery(db: Database, { key }: TestDelivery) {
  const row = await db.first<{ state: number; reply_code: number; reason: string; settled_by: string }>(
    'SELECT state, reply_code, reason, settled_by FROM deliveries WHERE tenant_id = ? AND campaign_id = ? AND seq = ?',
    [key.tenantId, key.campaignId, key.seq],
  );
  return { ...row, state: deliveryStateName(row?.state ?? -1) };
}

export function readSuppressions(db: Database, { key }: TestDelivery) {
  return db.rows<{ address_hash: Buffer; reason: string; source: string; scope: string }>(
    'SELECT address_hash, reason, source, scope FROM suppressions WHERE tenant_id = ? ORDER BY address_hash',
    [key.tenantId],
  );
}

/** What the rows, their chunk and their campaign's counters say; they must say the same. */
export async function expectCountsToAgree(db: Database, { key }: TestDelivery): Promise<void> {
  const where = 'WHERE tenant_id = ? AND campaign_id = ?';
  const own = [key.tenantId, key.campaignId];
  const sums = deliveryStateNames.map((name) => `SUM(n_${name}) AS ${name}`).join(', ');
  const states = deliveryStateNames.map((name, code) => `SUM(state = ${code}) AS ${name}`).join(', ');
  const rows = await db.first(`SELECT ${states} FROM deliveries ${where}`, own);
  expect(await db.first(`SELECT ${sums} FROM chunks ${where}`, own)).toEqual(rows);
  expect(await db.first(`SELECT ${sums} FROM campaign_counters ${where}`, own)).toEqual(rows);
}
