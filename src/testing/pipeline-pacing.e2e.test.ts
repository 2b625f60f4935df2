/** One destination's trouble, one campaign's rate and one sender's reputation are nobody else's. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addresses, type Scenario, startScenario } from './scenario.ts';
import { waitFor } from './wait-for.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
let before: ReadonlyMap<string, number> = new Map();
beforeEach(() => {
  before = new Map(scenario.sink.accepted().byDomain);
  scenario.sink.setRules([]);
});
afterAll(async () => {
  await scenario.end();
});

const byProvider = { destinationMode: 'provider' as const };
const acceptedBy = (domain: string) =>
  (scenario.sink.accepted().byDomain.get(domain) ?? 0) - (before.get(domain) ?? 0);
const acceptedAt = (domain: string) =>
  scenario.sink
    .accepted()
    .log.filter(({ to }) => to[0]?.endsWith(`@${domain}`))
    .map(({ at }) => at);

test('a provider that hangs holds its own messages and nobody else’s; released, it gets them all', async () => {
  const { sink } = scenario;
  sink.setRules([{ id: 'hang', stage: 'rcpt', when: { toDomain: 'gmail.com' }, action: { do: 'stall' } }]);
  const domains = ['gmail.com', 'yahoo.com', 'outlook.com'];
  const campaign = await scenario.campaign(
    domains.flatMap((domain) => addresses(1_500, domain)),
    { ...byProvider, limits: { envelopeTimeoutMs: 5_000 } },
  );
  await waitFor(
    'the others to be done',
    async () => acceptedBy('yahoo.com') + acceptedBy('outlook.com') === 3_000,
  );
  expect(acceptedBy('gmail.com')).toBe(0);
  sink.setRules([]);
  sink.release();
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: 4_500 });
  await scenario.check();
}, 60_000);

test('a campaign with a rate of its own keeps to it, and another of its tenant overtakes it', async () => {
  const slow = await scenario.campaign(addresses(100, 'slow.example'), { perMinute: 600 });
  await waitFor('the first', async () => acceptedBy('slow.example') >= 5);
  const quick = await scenario.campaign(addresses(800, 'quick.example'), {
    tenantId: slow.tenantId,
    transportId: slow.transportId,
  });
  await scenario.waitForState(quick, 'sent');
  expect(acceptedBy('slow.example')).toBeLessThan(100);
  await scenario.waitForState(slow, 'sent');
  const at = acceptedAt('slow.example');
  const seconds = (Math.max(...at) - Math.min(...at)) / 1_000;
  expect(99 / seconds, 'messages a second').toBeLessThan(10.5);
  await scenario.check();
}, 60_000);

test('transactional mail passes a flood at the same destination', async () => {
  const limits = { perSecond: 300 };
  const flood = await scenario.campaign(addresses(3_000, 'flood.example'), { limits });
  await waitFor('the flood', async () => acceptedBy('flood.example') >= 100);
  const { tenantId, transportId } = flood;
  const urgent = await scenario.campaign(addresses(20, 'urgent.example'), {
    tenantId,
    transportId,
    class: 0,
  });
  await scenario.waitForState(urgent, 'sent');
  expect(acceptedBy('flood.example')).toBeLessThan(2_000);
  await scenario.change(flood, "state = 'cancelled', settling = 1");
  await waitFor('it to settle', () =>
    scenario.db.first('SELECT 1 FROM campaigns WHERE id = ? AND settling = 0', [flood.campaignId]),
  );
  await scenario.check();
}, 60_000);

test('a provider that asks for less is sent less, no attempt is burnt, and all arrives', async () => {
  scenario.sink.limitProvider({ name: 'gmail', messagesPerSecond: 100 });
  const campaign = await scenario.campaign(addresses(1_500, 'gmail.com'), byProvider);
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: 1_500 });
  const most = await scenario.db.first<{ n: number }>(
    'SELECT MAX(attempts) AS n FROM deliveries WHERE tenant_id = ? AND campaign_id = ?',
    [campaign.tenantId, campaign.campaignId],
  );
  expect(most).toEqual({ n: 1 });
  scenario.sink.limitProvider({ name: 'gmail' });
  await scenario.check();
}, 90_000);

test('a provider that refuses a sending domain for policy makes it rest there: nobody is suppressed, others go on', async () => {
  scenario.sink.setRules([
    {
      stage: 'rcpt',
      when: { toDomain: 'gmail.com' },
      action: {
        do: 'reply',
        code: 550,
        text: '5.7.26 Unauthenticated email from bad.example is not accepted',
      },
    },
  ]);
  const campaign = await scenario.campaign([...addresses(800, 'gmail.com'), ...addresses(200, 'yahoo.com')], {
    ...byProvider,
    sendingDomain: 'bad.example',
  });
  await waitFor('the others to be done', async () => acceptedBy('yahoo.com') === 200);
  const pause = await waitFor('a pause', () =>
    scenario.db.first<{ domain: string }>('SELECT domain FROM sender_pauses WHERE tenant_id = ?', [
      campaign.tenantId,
    ]),
  );
  expect(pause).toEqual({ domain: 'bad.example' });
  await scenario.waitForQuiet(campaign);
  const { bounced = 0, pending = 0 } = await scenario.states(campaign);
  expect(bounced, 'before it was seen').toBeLessThan(400);
  expect(pending).toBe(800 - bounced);
  const suppressed = await scenario.db.first('SELECT 1 FROM suppressions WHERE tenant_id = ?', [
    campaign.tenantId,
  ]);
  expect(suppressed).toBeUndefined();
}, 60_000);
