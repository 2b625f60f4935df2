/** QUEUE_SHARDS is changed while campaigns run: workers of the old and the new number beside each other, and shards that nobody reads. */
import { afterEach, expect, test } from 'vitest';
import { allShards, shardPrefix } from '../queues/shards.ts';
import { removeStale } from '../queues/stale-jobs.ts';
import { addresses, type Scenario, startScenario } from './scenario.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

test('raised and lowered in rolling deploys, as docs/scale.md has it: nothing is lost, doubled or in doubt', async () => {
  scenario = await startScenario({ environment: { QUEUE_SHARDS: '1' } });
  const n = 3_000;
  const campaign = await scenario.campaign(addresses(n), { limits: { perSecond: 600, maxConnections: 8 } });
  for (const [at, changes] of [
    [300, { QUEUE_SHARDS: '4' }],
    [1_200, { QUEUE_SHARDS: '2', QUEUE_SHARDS_READ: '0-3' }],
    [2_000, { QUEUE_SHARDS: '2' }],
  ] as const) {
    await scenario.sink.waitForAccepted(at, { timeoutMs: 20_000 });
    await scenario.replacePipeline(changes);
  }
  await scenario.waitForState(campaign, 'sent', 60_000);
  expect(await scenario.states(campaign)).toEqual({ sent: n });
  await scenario.check();
});

test('chunks whose jobs lie on a shard that nobody reads come back after a lease, and on another shard in the end', async () => {
  const leaseMs = 2_000;
  const environment = { QUEUE_SHARDS: '3', QUEUE_SHARDS_READ: '0,1', LEASE_MS: String(leaseMs) };
  scenario = await startScenario({ environment });
  const campaign = await scenario.campaign(addresses(6_000));
  // Each lease takes a part of the window with it.
  await scenario.waitForState(campaign, 'sent', 100_000);
  expect(await scenario.states(campaign)).toEqual({ sent: 6_000 });
  await scenario.check();

  const { redis, prefix } = scenario.redis;
  const wait = `${shardPrefix({ redis, prefix }, 2)}:render-campaign:wait`;
  expect(await redis.llen(wait), 'stale jobs on the shard that nobody reads').toBeGreaterThan(0);
  // Once they are old enough; a lease of none says that they are.
  const removed = allShards(3).map((shard) => removeStale({ belt: { redis, prefix }, leaseMs: 0 }, shard));
  expect((await Promise.all(removed))[2]).toBeGreaterThan(0);
  expect(await redis.keys(`${wait.replace(/:wait$/, '')}:[0-9]*`), 'jobs').toEqual([]);
});
