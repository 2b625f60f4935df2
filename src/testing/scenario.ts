/** One pipeline with a database, a Redis prefix and a sink of its own: what each end-to-end file begins with. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { type DeliveryState, deliveryStateName } from '../ledger/states.ts';
import type { Database } from '../platform/mysql.ts';
import { assertLedger } from './assert-ledger.ts';
import { LastLines } from './last-lines.ts';
import { readOpenChunks } from './open-chunks.ts';
import type { SinkOptions } from './smtp-sink/options.ts';
import { createSmtpSink, type SmtpSink } from './smtp-sink/sink.ts';
import { createTestCampaign, type TestCampaign, type TestCampaignOptions } from './test-campaign.ts';
import { createTestDatabase, createTestRedis, type TestRedis } from './test-database.ts';
import { createTestPipeline, type TestPipeline, testConfig } from './test-pipeline.ts';
import { waitFor } from './wait-for.ts';

export interface Scenario {
  readonly db: Database;
  readonly redis: TestRedis;
  readonly sink: SmtpSink;
  /** A due campaign to these addresses over the sink. */
  campaign(emails: readonly string[], options?: Partial<TestCampaignOptions>): Promise<TestCampaign>;
  change(campaign: TestCampaign, assignment: string): Promise<unknown>;
  waitForState(campaign: TestCampaign, state: string, timeoutMs?: number): Promise<void>;
  /** Nothing of it is dispatched or leased: no message of it can be on its way. */
  waitForQuiet(campaign: TestCampaign): Promise<void>;
  states(campaign: TestCampaign): Promise<Partial<Record<DeliveryState, number>>>;
  /** Stops all processes, as SIGTERM does. */
  stopPipeline(): Promise<void>;
  /** Starts new ones, with names of their own. */
  startPipeline(): Promise<void>;
  /** A rolling deploy: new processes start, configured anew, beside the old ones, which then stop. */
  replacePipeline(environment: Readonly<Record<string, string>>): Promise<void>;
  /** Empties Redis of all that is ours, at one moment: a FLUSHALL that leaves other tests their keys. */
  loseRedis(): Promise<void>;
  /** Holds the ledger against itself and the sink. */
  check(): Promise<void>;
  end(): Promise<void>;
}

export interface ScenarioOptions {
  readonly sink?: SinkOptions;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startScenario(options: ScenarioOptions = {}): Promise<Scenario> {
  const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const { db } = database;
  const sink = createSmtpSink(options.sink);
  await sink.start();
  const environment = {
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix },
    // One for all of them, whatever else is changed.
    ...{ SECRET_KEY: randomBytes(32).toString('base64'), LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'warn' },
    ...options.environment,
  };
  const log = new LastLines();
  let config = testConfig(environment);
  let pipeline: TestPipeline = createTestPipeline(config, log);
  await pipeline.start();
  const of = ({ tenantId, campaignId }: TestCampaign) => [tenantId, campaignId];

  /** Where the step fails: with what is still open, and what the processes said last. A failure that is rare is told once. */
  function explained<T>(step: Promise<T>): Promise<T> {
    return step.catch(async (error: Error) => {
      error.message = [
        error.message,
        'open:',
        ...(await readOpenChunks(db)),
        'last said:',
        ...log.lines,
      ].join('\n');
      throw error;
    });
  }

  return {
    ...{ db, redis, sink },
    campaign: (emails, changes) =>
      createTestCampaign({ db, keys: pipeline.platform.keys, emails, smtpPort: sink.port, ...changes }),
    change: (campaign, assignment) =>
      db.write(`UPDATE campaigns SET ${assignment} WHERE tenant_id = ? AND id = ?`, of(campaign)),
    async waitForState(campaign, state, timeoutMs) {
      const ask = () =>
        db.first('SELECT 1 FROM campaigns WHERE tenant_id = ? AND id = ? AND state = ?', [
          ...of(campaign),
          state,
        ]);
      await explained(waitFor(`the campaign to be ${state}`, ask, timeoutMs));
    },
    async waitForQuiet(campaign) {
      const ask = () =>
        db.first(
          'SELECT COUNT(*) AS n FROM chunks WHERE tenant_id = ? AND campaign_id = ? AND state IN (1, 2) HAVING n = 0',
          of(campaign),
        );
      await explained(waitFor('all grants to end', ask));
    },
    async states(campaign) {
      const rows = await db.rows<{ state: number; n: number }>(
        'SELECT state, COUNT(*) AS n FROM deliveries WHERE tenant_id = ? AND campaign_id = ? GROUP BY state',
        of(campaign),
      );
      return Object.fromEntries(rows.map((row) => [deliveryStateName(row.state), row.n]));
    },
    stopPipeline: () => pipeline.stop(),
    async startPipeline() {
      pipeline = createTestPipeline(config, log);
      await pipeline.start();
    },
    async replacePipeline(changes) {
      const old = pipeline;
      config = testConfig({ ...environment, ...changes });
      pipeline = createTestPipeline(config, log);
      await pipeline.start();
      await old.stop();
    },
    async loseRedis() {
      const deleted = await redis.redis.eval(loseKeys, 0, `*${redis.prefix}*`);
      expect(deleted, 'keys in Redis').toBeGreaterThan(0);
    },
    check: () => explained(assertLedger(db, sink)),
    async end() {
      await pipeline.stop();
      await sink.stop();
      await redis.drop();
      await database.drop();
    },
  };
}

const loseKeys = `
local n = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do n = n + redis.call('DEL', key) end
return n`;

export function addresses(n: number, domain = 'example.com', from = 0): readonly string[] {
  return Array.from({ length: n }, (_, i) => `person${from + i}@${domain}`);
}
