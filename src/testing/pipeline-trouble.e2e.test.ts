/** Trouble under way: no server, a stop in the middle, Redis gone. Nothing is lost, nothing doubled, and nothing in doubt without need. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addresses, type Scenario, startScenario } from './scenario.ts';
import type { TestCampaign } from './test-campaign.ts';
import { waitFor } from './wait-for.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await startScenario({ environment: { IN_DOUBT_SETTLE_AFTER_MS: '1000' } });
});
afterEach(() => scenario.end());

const slow = { limits: { perSecond: 300, maxConnections: 4 } };
const accepted = (n: number) => scenario.sink.waitForAccepted(n, { timeoutMs: 15_000 });

async function allSent(campaign: TestCampaign, n: number): Promise<void> {
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: n });
  await scenario.check();
}

test('a server that is down at the start: it is left alone, longer each time, and all is sent when it is up', async () => {
  await scenario.sink.stop();
  const campaign = await scenario.campaign(addresses(300));
  await waitFor('the lane to be held', () =>
    scenario.db.first(
      'SELECT 1 FROM lanes WHERE tenant_id = ? AND next_due_at > NOW(3) + INTERVAL 300000 MICROSECOND',
      [campaign.tenantId],
    ),
  );
  const chunk = await scenario.db.first<{ epoch: number }>(
    'SELECT MAX(epoch) AS epoch FROM chunks WHERE tenant_id = ?',
    [campaign.tenantId],
  );
  expect(chunk?.epoch, 'grants while it was down').toBeLessThan(12);
  await scenario.sink.start();
  await allSent(campaign, 300);
  expect(await maxAttempts(campaign), 'no attempt is burnt by an outage').toBe(1);
});

test('a server that goes away in the middle: only what was on the wire is in doubt', async () => {
  const campaign = await scenario.campaign(addresses(500), slow);
  await accepted(100);
  await scenario.sink.stop();
  await scenario.waitForQuiet(campaign);
  const { in_doubt = 0, attempting = 0 } = await scenario.states(campaign);
  expect(attempting).toBe(0);
  expect(in_doubt, 'at most one for each connection').toBeLessThanOrEqual(4);
  await scenario.sink.start();
  await allSent(campaign, 500);
});

test('a stop in the middle leaves nothing in doubt and nothing leased; the next start sends the rest', async () => {
  const campaign = await scenario.campaign(addresses(900), slow);
  await accepted(200);
  await scenario.stopPipeline();
  const sent = scenario.sink.accepted().messages;
  expect(await scenario.states(campaign)).toEqual({ sent, pending: 900 - sent });
  // One may be dispatched, by the dispatcher that stopped last: its job waits for the next start.
  expect(await scenario.db.rows('SELECT 1 FROM chunks WHERE state = 2'), 'leases').toEqual([]);
  expect(scenario.sink.connections.open).toBe(0);
  await scenario.startPipeline();
  await allSent(campaign, 900);
});

test('stops again and again: a rolling deploy', async () => {
  const campaign = await scenario.campaign(addresses(600), slow);
  for (const n of [50, 200, 350]) {
    await accepted(n);
    await scenario.stopPipeline();
    expect((await scenario.states(campaign)).in_doubt).toBeUndefined();
    await scenario.startPipeline();
  }
  await allSent(campaign, 600);
});

test('Redis emptied in the middle: sending goes on by itself', async () => {
  const campaign = await scenario.campaign(addresses(900), slow);
  await accepted(150);
  await scenario.loseRedis();
  const lostAt = performance.now();
  await allSent(campaign, 900);
  expect(performance.now() - lostAt, 'ms from the loss to the end').toBeLessThan(15_000);
});

test('Redis emptied over and over', async () => {
  const campaign = await scenario.campaign(addresses(600), slow);
  for (const n of [30, 200, 400]) {
    await accepted(n);
    await scenario.loseRedis();
  }
  await allSent(campaign, 600);
});

test('connections that are refused, dropped or cut at every step of some dialogues cost nobody the message', async () => {
  scenario.sink.setRules([
    { stage: 'connect', when: { everyNth: 5 }, action: { do: 'reply', code: 421, text: '4.3.2 busy' } },
    { stage: 'mail', when: { everyNth: 31 }, action: { do: 'hangup' } },
    { stage: 'rcpt', when: { everyNth: 37 }, action: { do: 'reset' } },
    { stage: 'data', when: { everyNth: 41 }, action: { do: 'reply', code: 421, text: '4.3.2 closing' } },
  ]);
  const campaign = await scenario.campaign(addresses(300));
  await allSent(campaign, 300);
});

async function maxAttempts({ campaignId }: TestCampaign): Promise<number | undefined> {
  const row = await scenario.db.first<{ most: number }>(
    'SELECT MAX(attempts) AS most FROM deliveries WHERE campaign_id = ?',
    [campaignId],
  );
  return row?.most;
}
