/** Two dispatchers, and workers that settle what they are handed: what a standby takes over is in MySQL alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimGrant } from '../ledger/claim.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { chunkValues, chunkWhere, formatGrant, type Grant } from '../ledger/grant.ts';
import { deliveryStates } from '../ledger/states.ts';
import { systemClock } from '../platform/clock.ts';
import { createLeadership, type Leadership } from '../platform/leadership.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { GrantJob } from '../queues/jobs.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger } from '../testing/test-ledger.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createDispatchMetrics } from './dispatch-metrics.ts';
import { createDispatcher } from './dispatcher.ts';
import { fixedPaces } from './fixed-paces.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const termMs = 1_500;

/** A dispatcher that hands its jobs to `jobs`, and stops in its tracks when it vanishes: no resignation, no last word. */
function createOne(owner: string) {
  const { db } = database;
  const jobs: GrantJob[] = [];
  const real = createLeadership({ db, clock: systemClock, name: 'dispatcher', owner, termMs });
  let isGone = false;
  const never = new Promise<never>(() => undefined);
  const leadership: Leadership = { ...real, lead: () => (isGone ? never : real.lead()) };
  const dispatcher = createDispatcher({
    ...{ db, leadership, log: silentLog, leaseMs: 30_000 },
    producer: {
      start: async () => undefined,
      stop: async () => undefined,
      enqueue: async (more) => void jobs.push(...more),
    },
    generation: { hasChanged: async () => false },
    limits: { totalMessages: 1_000 },
    paces: fixedPaces(60),
    metrics: createDispatchMetrics(createMetrics('test')),
  });
  const vanish = () => {
    isGone = true;
  };
  return { jobs, dispatcher, vanish };
}

async function work(grant: Grant): Promise<void> {
  const { db } = database;
  expect(await claimGrant(db, grant, 'worker'), formatGrant(grant)).toBeTruthy();
  await db.write(
    `UPDATE deliveries SET state = ${deliveryStates.sent}, attempts = attempts + 1
     WHERE ${chunkWhere} AND state = ${deliveryStates.pending} ORDER BY seq LIMIT ?`,
    [...chunkValues(grant), grant.n],
  );
  await endGrant(db, grant, { owner: 'worker', rules: { retryStepMs: 100 } });
}

test('a standby goes on where a leader vanished, from MySQL alone, and dispatches no message twice', async () => {
  const { db } = database;
  await createTestLedger(db, { chunks: 20, size: 10 });
  const [first, second] = [createOne('first'), createOne('second')];
  await first.dispatcher.start();
  await waitFor('the first job', async () => first.jobs.length > 0);
  await second.dispatcher.start();
  first.vanish();
  const vanishedAt = performance.now();
  const worked: Grant[] = [];
  const workOn = async () => {
    const grants = [...first.jobs.splice(0), ...second.jobs.splice(0)].flatMap((job) => job.grants);
    for (const grant of grants) await work(grant);
    worked.push(...grants);
    return (await db.first(`SELECT 1 FROM deliveries WHERE state <> ${deliveryStates.sent}`)) === undefined;
  };
  await workOn();
  await waitFor('a job of the standby', async () => second.jobs.length > 0);
  expect(performance.now() - vanishedAt).toBeLessThan(3 * termMs);
  await waitFor('all to be sent', workOn);
  await second.dispatcher.stop();
  const attempts = await db.rows('SELECT attempts, COUNT(*) AS n FROM deliveries GROUP BY attempts');
  expect(attempts).toEqual([{ attempts: 1, n: 200 }]);
  expect(new Set(worked.map(formatGrant)).size).toBe(worked.length);
  expect(worked.reduce((sum, { n }) => sum + n, 0)).toBe(200);
});
