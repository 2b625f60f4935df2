/** What operators do while messages are on their way: pause, resume, cancel, suppress, limit. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addressHash } from '../audience/address.ts';
import { deriveKeys } from '../keys.ts';
import { deliveryOf } from './assert-ledger.ts';
import { addresses, type Scenario, startScenario } from './scenario.ts';
import { waitFor } from './wait-for.ts';

const secretKey = Buffer.alloc(32, 7);
let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario({ environment: { SECRET_KEY: secretKey.toString('base64') } });
});
beforeEach(() => {
  scenario.sink.clearAccepted();
  scenario.sink.setRules([]);
});
afterAll(async () => {
  await scenario.end();
});

/** What DESIGN 4 promises, ms. */
const effectWithinMs = 2_000;
const slow = { limits: { perSecond: 200 } };
const acceptedAt = () => scenario.sink.accepted().log.map((message) => message.at);

test('paused, nothing starts after two seconds; resumed, it goes on where it was', async () => {
  const campaign = await scenario.campaign(addresses(700), slow);
  await scenario.sink.waitForAccepted(60, { timeoutMs: 10_000 });
  await scenario.change(campaign, 'paused_at = NOW(3)');
  const pausedAt = Date.now();
  await scenario.waitForQuiet(campaign);
  // Now the dispatcher has seen it, too.
  await waitFor('its chunks to be parked', () =>
    scenario.db.first('SELECT 1 FROM campaigns WHERE id = ? AND parked = 1', [campaign.campaignId]),
  );
  const accepted = scenario.sink.accepted().messages;
  expect(accepted).toBeLessThan(700);
  expect(Math.max(...acceptedAt())).toBeLessThan(pausedAt + effectWithinMs);
  expect(await scenario.states(campaign)).toEqual({ sent: accepted, pending: 700 - accepted });

  await scenario.change(campaign, 'paused_at = NULL');
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: 700 });
});

test('cancelled, what is on the wire is recorded, the rest is cancelled, and the counters settle', async () => {
  const campaign = await scenario.campaign(addresses(700), slow);
  await scenario.sink.waitForAccepted(60, { timeoutMs: 10_000 });
  await scenario.change(campaign, "state = 'cancelled', settling = 1");
  const cancelledAt = Date.now();
  await waitFor('it to settle', () =>
    scenario.db.first('SELECT 1 FROM campaigns WHERE id = ? AND settling = 0', [campaign.campaignId]),
  );
  const accepted = scenario.sink.accepted().messages;
  expect(Math.max(...acceptedAt())).toBeLessThan(cancelledAt + effectWithinMs);
  expect(await scenario.states(campaign)).toEqual({ sent: accepted, cancelled: 700 - accepted });
});

test('an address that is suppressed while its campaign runs gets nothing after two seconds', async () => {
  const campaign = await scenario.campaign(addresses(700), slow);
  const keys = deriveKeys(secretKey);
  await scenario.sink.waitForAccepted(60, { timeoutMs: 10_000 });
  const late = addresses(200, 'example.com', 500);
  await scenario.db.write(
    'INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at) VALUES ?',
    [
      late.map((email) => [
        campaign.tenantId,
        addressHash(keys.address, campaign.tenantId, email),
        '*',
        'complaint',
        'api',
        new Date(),
      ]),
    ],
  );
  const suppressedAt = Date.now();
  await scenario.waitForState(campaign, 'sent');
  const { sent = 0, suppressed = 0 } = await scenario.states(campaign);
  expect(sent + suppressed).toBe(700);
  expect(suppressed).toBeGreaterThan(50);
  const isLate = new Set(late);
  const times = scenario.sink
    .accepted()
    .log.filter(({ to }) => isLate.has(to[0] as string))
    .map(({ at }) => at);
  expect(Math.max(0, ...times)).toBeLessThan(suppressedAt + effectWithinMs);
});

test('a rate of so many a second is held, over the whole run', async () => {
  const perSecond = 150;
  const campaign = await scenario.campaign(addresses(450), { limits: { perSecond, maxConnections: 5 } });
  await scenario.waitForState(campaign, 'sent');
  const times = [...acceptedAt()].sort((a, b) => a - b);
  const inAnySecond = times.map((from, i) => times.slice(i).filter((at) => at < from + 1_000).length);
  // A tenth of a second's worth may come at once, and what was ready when a second began.
  expect(Math.max(...inAnySecond)).toBeLessThanOrEqual(perSecond * 1.3);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan((450 / perSecond - 0.5) * 1_000);
});

test('limits that are changed while it runs hold within seconds', async () => {
  const campaign = await scenario.campaign(addresses(600), { limits: { perSecond: 100 } });
  await scenario.sink.waitForAccepted(20, { timeoutMs: 10_000 });
  await scenario.db.write("UPDATE transports SET limits = '{}', version = version + 1 WHERE id = ?", [
    campaign.transportId,
  ]);
  const changedAt = Date.now();
  await scenario.waitForState(campaign, 'sent');
  expect(Date.now() - changedAt, 'at the old rate it would take 5.8 s').toBeLessThan(5_000);
  expect(await scenario.states(campaign)).toEqual({ sent: 600 });
});

test('what could not be sent by its deadline is expired', async () => {
  scenario.sink.setRules([
    { stage: 'rcpt', when: { addressShare: 0.5 }, action: { do: 'reply', code: 451, text: '4.2.0 later' } },
  ]);
  const campaign = await scenario.campaign(addresses(60), { deliverWithinSeconds: 3 });
  await scenario.waitForState(campaign, 'sent');
  const { sent = 0, expired = 0 } = await scenario.states(campaign);
  expect(sent + expired).toBe(60);
  expect(expired).toBeGreaterThan(10);
});

test('over a retry a message keeps its Message-ID, and in doubt it is sent again only where the campaign says so', async () => {
  scenario.sink.setRules([
    {
      stage: 'dot',
      when: { toAddress: 'person3@example.com' },
      times: 1,
      action: { do: 'hangup', takesEffect: true },
    },
  ]);
  const campaign = await scenario.campaign(addresses(10), { inDoubtPolicy: 'resend' });
  await waitFor('a doubt', () =>
    scenario.db.first('SELECT 1 FROM deliveries WHERE campaign_id = ? AND state = 5', [campaign.campaignId]),
  );
  await scenario.db.write(
    'UPDATE deliveries SET outcome_at = NOW(3) - INTERVAL 1 HOUR WHERE campaign_id = ? AND state = 5',
    [campaign.campaignId],
  );
  await scenario.waitForState(campaign, 'sent');
  const { log, byMessageId } = scenario.sink.accepted();
  const copies = log.filter(({ to }) => to[0] === 'person3@example.com');
  expect(copies).toHaveLength(2);
  expect(byMessageId.get(copies[0]?.messageId as string)).toBe(2);
  expect(new Set(log.map(({ messageId }) => deliveryOf(messageId))).size).toBe(10);
});
