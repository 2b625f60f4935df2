/** The pipeline's stages in one process, against a real database, a real Redis and a real SMTP server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSmtpSink, type SmtpSink } from './smtp-sink/sink.ts';
import { createTestCampaign } from './test-campaign.ts';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis } from './test-database.ts';
import { createTestPipeline, type TestPipeline, testConfig } from './test-pipeline.ts';
import { waitFor } from './wait-for.ts';

let database: TestDatabase;
let redis: TestRedis;
let sink: SmtpSink;
let pipeline: TestPipeline;

beforeAll(async () => {
  database = await createTestDatabase();
  redis = await createTestRedis();
  sink = createSmtpSink({ keepBodies: 3 });
  await sink.start();
  pipeline = createTestPipeline(
    testConfig({ DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix }),
  );
  await pipeline.start();
});

afterAll(async () => {
  await pipeline.stop();
  await sink.stop();
  await redis.drop();
  await database.drop();
});

const addresses = (n: number) => Array.from({ length: n }, (_, i) => `person${i}@example.com`);

test('every recipient of a campaign gets one message, and the ledger says so', async () => {
  const { db, keys } = pipeline.platform;
  const started = performance.now();
  const { tenantId, campaignId } = await createTestCampaign({
    db,
    keys,
    emails: addresses(1_200),
    smtpPort: sink.port,
  });
  await sink.waitForAccepted(1, { timeoutMs: 10_000 });
  const firstMs = performance.now() - started;
  const campaign = await waitFor('the campaign to be sent', () =>
    db.first<{ state: string }>(
      `SELECT state FROM campaigns WHERE tenant_id = ? AND id = ? AND state = 'sent'`,
      [tenantId, campaignId],
    ),
  );
  console.log('first', firstMs, 'all', performance.now() - started, campaign);
  const rows = await db.rows<{ state: number; n: number }>(
    'SELECT state, COUNT(*) AS n FROM deliveries WHERE tenant_id = ? GROUP BY state',
    [tenantId],
  );
  expect(rows).toEqual([{ state: 2, n: 1_200 }]);
  expect(sink.accepted().messages).toBe(1_200);
});
