/**
 * `npm run fleet` under a spike, as a user runs it. FLEET_SPIKE=200000 for the large one. A worker is taken to do 500 messages a second, and all is to be gone in two
 * seconds: a small spike then asks for as much of the machine as a large one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { deriveKeys } from '../src/keys.ts';
import { deliveryStates } from '../src/ledger/states.ts';
import { predictDrain } from '../src/scaling/predict-drain.ts';
import { readLiveProcesses } from '../src/scaling/scaling-store.ts';
import { assertCounts } from '../src/testing/assert-ledger.ts';
import { addresses } from '../src/testing/scenario.ts';
import { createSmtpSink, type SmtpSink } from '../src/testing/smtp-sink/sink.ts';
import { createTestCampaign } from '../src/testing/test-campaign.ts';
import {
  createTestDatabase,
  createTestRedis,
  type TestDatabase,
  type TestRedis,
} from '../src/testing/test-database.ts';
import { waitFor } from '../src/testing/wait-for.ts';

const spike = Number(process.env.FLEET_SPIKE ?? 20_000);
/** Twelve processes with two statements each: as many as there may be. */
const fleetConnections = 24;
const secretKey = randomBytes(32);
const drainTimeoutMs = 60_000 + spike;

let database: TestDatabase;
let redis: TestRedis;
let sink: SmtpSink;
let fleet: TestFleet | undefined;
let watches: NodeJS.Timeout[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  sink = createSmtpSink({ memory: 'counters' });
  await sink.start();
  // A worker has ten connections: so it does 500 a second, however fast the machine is.
  sink.setRules([{ stage: 'dot', action: { do: 'delay', ms: 20 } }]);
});
afterEach(async () => {
  watches.forEach(clearInterval);
  watches = [];
  fleet?.child.kill('SIGKILL');
  await waitUntilGone();
});
afterAll(async () => {
  await sink.stop();
  await Promise.all([redis.drop(), database.drop()]);
});

test(
  'a spike arrives: the pool grows, drains it as soon as the model says, and shrinks; the database is asked no more than before, nothing is in doubt',
  async () => {
    fleet = startFleet(['--min', '1', '--max', '4']);
    await waitForLine(fleet, /fleet up/);
    const concurrency = watchConcurrency();
    const workers = watchWorkers();
    const { db } = database;
    const emails = addresses(spike);
    const createdAt = performance.now();
    const { campaignId } = await createTestCampaign({
      db,
      keys: deriveKeys(secretKey),
      emails,
      smtpPort: sink.port,
    });
    await waitForLine(fleet, /send 1 -> [34] \(.*may go now\)/, drainTimeoutMs);
    await workers.whenThree();
    const startMs = performance.now() - createdAt;
    const isSent = () => db.first("SELECT 1 FROM campaigns WHERE id = ? AND state = 'sent'", [campaignId]);
    await waitFor('the spike to be sent', isSent, drainTimeoutMs, 250);
    const workerSeconds = await workers.stop();
    await waitForLine(fleet, /send 2 -> 1 \(/, 60_000);
    await waitForLine(fleet, /render 2 -> 1 \(/, 60_000);

    expect(sink.accepted().messages, 'accepted at the sink').toBe(spike);
    const states = await db.rows('SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state');
    expect(states, 'all sent, nothing in doubt').toEqual([{ state: deliveryStates.sent, n: spike }]);
    await assertCounts(db);
    const drainSeconds = await readDrainSeconds(campaignId);
    const predicted = predictDrain({ ...spikeModel, startMs, actualPerSecond: spike / workerSeconds });
    expect(drainSeconds, 'the last message, against the model').toBeLessThan(predicted * 1.5 + 5);
    const most = await concurrency.stop();
    expect(most, 'statements under way at once').toBeLessThanOrEqual(fleetConnections);
    expect(sizesOf(fleet), 'workers of a pool').toSatisfy((sizes: number[]) => Math.max(...sizes) <= 4);

    fleet.child.kill('SIGTERM');
    expect(await fleet.ended, fleet.output()).toBe(0);
    expect(await countProcesses()).toBe(0);
  },
  drainTimeoutMs + 120_000,
);

test('a fleet whose own process is killed leaves nobody behind', async () => {
  fleet = startFleet(['--min', '1', '--max', '1']);
  await waitFor('all to run', async () => (await countProcesses()) === 6);
  fleet.child.kill('SIGKILL');
  await waitUntilGone();
});

interface TestFleet {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

function startFleet(args: readonly string[]): TestFleet {
  const child = spawn(process.execPath, ['dist/scripts/fleet.js', ...args], {
    env: {
      ...process.env,
      ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix },
      ...{ SECRET_KEY: secretKey.toString('base64'), ALLOW_PRIVATE_TRANSPORTS: 'true', HTTP_PORT: '' },
      ...{ SCALE_TARGET_DRAIN_SECONDS: '2', SCALE_SEND_RATE: '500', SCALE_RENDER_RATE: '1000' },
      ...{ SCALE_EVERY_MS: '500', SCALE_DOWN_AFTER_SECONDS: '2', SCALE_STATEMENTS_PER_WORKER: '2' },
      ...{ DATABASE_FLEET_CONNECTIONS: String(fleetConnections), STOP_TIMEOUT_MS: '10000' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      text += data.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, ended, output: () => text };
}

async function waitForLine(one: TestFleet, line: RegExp, timeoutMs = 60_000): Promise<void> {
  const hasIt = async () => {
    if (one.child.exitCode !== null) throw new Error(`the fleet ended:\n${one.output()}`);
    return line.test(one.output());
  };
  await waitFor(String(line), hasIt, timeoutMs, 100).catch((error) => {
    throw new Error(`${error.message}\n${one.output()}`);
  });
}

function sizesOf(one: TestFleet): readonly number[] {
  return [...one.output().matchAll(/-> (\d+) \(/g)].map(([, size]) => Number(size));
}

/** Statements that the server works on for this database, the most of several looks a second. */
function watchConcurrency() {
  let most = 0;
  const look = async () => {
    const row = await database.db.first<{ n: number }>(
      `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST
       WHERE DB = DATABASE() AND COMMAND <> 'Sleep' AND ID <> CONNECTION_ID()`,
    );
    most = Math.max(most, row?.n ?? 0);
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look, look);
  }, 200);
  watches.push(timer);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
      return most;
    },
  };
}

/**
 * As the fleet below is started. What a worker really does, and how long the first ones take to come, is taken from the run: this machine may be slow, and
 * busy with other tests.
 */
const spikeModel = {
  ...{ messages: spike, assumedPerSecond: 500, everyMs: 500 },
  settings: { min: 1, max: 4, drainSeconds: 2, idleMs: 600_000, downAfterMs: 2_000 },
};

/** From the start of the campaign to its last outcome, by the database's clock. */
async function readDrainSeconds(campaignId: number): Promise<number> {
  const row = await database.db.first<{ seconds: number }>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, m.created_at, MAX(d.outcome_at)) / 1e6 AS seconds
     FROM campaigns m JOIN deliveries d ON d.tenant_id = m.tenant_id AND d.campaign_id = m.id WHERE m.id = ? GROUP BY m.id, m.created_at`,
    [campaignId],
  );
  return Number(row?.seconds);
}

/** The seconds of all send workers together. */
function watchWorkers() {
  let seconds = 0;
  let most = 0;
  let last = performance.now();
  const look = async () => {
    const now = performance.now();
    const workers = (await readLiveProcesses(database.db)).get('send') ?? 0;
    most = Math.max(most, workers);
    seconds += (workers * (now - last)) / 1000;
    last = now;
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look, look);
  }, 200);
  watches.push(timer);
  return {
    whenThree: () => waitFor('three send workers', async () => most >= 3, 60_000, 50),
    async stop() {
      clearInterval(timer);
      await looking;
      return seconds;
    },
  };
}

/** By their rows in `leases`, which each takes away as it stops. */
async function countProcesses(): Promise<number> {
  const live = await readLiveProcesses(database.db);
  return [...live.values()].reduce((sum, n) => sum + n, 0);
}

async function waitUntilGone(): Promise<void> {
  await waitFor('its processes to end', async () => (await countProcesses()) === 0, 30_000, 100);
}
