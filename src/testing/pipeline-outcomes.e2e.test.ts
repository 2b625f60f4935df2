/** What becomes of each recipient: one pipeline, one sink that refuses some. */
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressHash } from '../audience/address.ts';
import { eraseProfile } from '../audience/profile-erasure.ts';
import type { ProfileId, TenantId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { addresses, type Scenario, startScenario } from './scenario.ts';
import type { TestCampaign } from './test-campaign.ts';

const secretKey = Buffer.alloc(32, 7);
let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario({
    sink: { keepBodies: ({ to }) => to.some((address) => address.endsWith('@kept.example')) },
    environment: { SECRET_KEY: secretKey.toString('base64') },
  });
});
afterAll(() => scenario.end());

const keys = deriveKeys(secretKey);
const suppress = ({ tenantId }: TestCampaign, email: string, scope: string) =>
  scenario.db.write(
    `INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at) VALUES (?, ?, ?, 'complaint', 'api', NOW(3))`,
    [tenantId, addressHash(keys.address, tenantId, email), scope],
  );
const acceptedFor = (domain: string) => scenario.sink.accepted().byDomain.get(domain) ?? 0;

async function sendTo(emails: readonly string[], options: Parameters<Scenario['campaign']>[1] = {}) {
  const campaign = await scenario.campaign(emails, options);
  await scenario.waitForState(campaign, 'sent');
  await scenario.check();
  return { campaign, states: await scenario.states(campaign) };
}

const reasonsOf = async ({ campaignId }: TestCampaign, state: number) =>
  (
    await scenario.db.rows<{ reason: string }>(
      'SELECT reason FROM deliveries WHERE campaign_id = ? AND state = ?',
      [campaignId, state],
    )
  ).map((row) => row.reason);

test('each of several chunks of recipients gets one message', async () => {
  const { states } = await sendTo(addresses(1_200, 'plain.example'));
  expect(states).toEqual({ sent: 1_200 });
  expect(acceptedFor('plain.example')).toBe(1_200);
});

test('suppressed recipients get none, of everything or of the list', async () => {
  const campaign = await scenario.campaign(addresses(50, 'suppressed.example'), { sendInSeconds: 1 });
  await suppress(campaign, 'person3@suppressed.example', '*');
  await suppress(campaign, 'PERSON4@suppressed.example', `list:${campaign.listId}`);
  await suppress(campaign, 'person5@suppressed.example', 'list:1');
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: 48, suppressed: 2 });
  await scenario.check();
});

test('a hard bounce settles its recipient and suppresses the address for the next campaign', async () => {
  const rule = scenario.sink.addRule({
    stage: 'rcpt',
    when: { toAddress: ['person1@dead.example', 'person2@dead.example'] },
    action: { do: 'reply', code: 550, text: '5.1.1 no such user' },
  });
  const { campaign, states } = await sendTo(addresses(20, 'dead.example'));
  expect(states).toEqual({ sent: 18, bounced: 2 });
  expect((await reasonsOf(campaign, 3))[0]).toContain('5.1.1');
  const rows = await scenario.db.rows('SELECT reason FROM suppressions WHERE tenant_id = ?', [
    campaign.tenantId,
  ]);
  expect(rows).toEqual([{ reason: 'hard_bounce' }, { reason: 'hard_bounce' }]);
  expect(scenario.sink.rules().find((state) => state.rule.id === rule)?.hits).toBe(2);
});

test('recipients that are deferred are tried again from the ledger until they are accepted', async () => {
  scenario.sink.addRule({
    stage: 'rcpt',
    when: { toDomain: 'grey.example', addressShare: 0.3 },
    action: { do: 'reply', code: 451, text: '4.7.1 greylisted, try again' },
    timesPerAddress: 2,
  });
  const { campaign, states } = await sendTo(addresses(300, 'grey.example'));
  expect(states).toEqual({ sent: 300 });
  const row = await scenario.db.first<{ tried: number; most: number }>(
    'SELECT SUM(epoch > 1) AS tried, MAX(attempts) AS most FROM deliveries WHERE campaign_id = ?',
    [campaign.campaignId],
  );
  expect(row?.tried).toBeGreaterThan(50);
});

test('a recipient whose message can not be made is skipped with the reason, and the rest go out', async () => {
  const { campaign, states } = await sendTo(['broken@@skipped.example', ...addresses(30, 'skipped.example')]);
  expect(states).toEqual({ sent: 30, skipped: 1 });
  expect((await reasonsOf(campaign, 7))[0]).toMatch(/^invalid_address/);
});

test('a template that can not be compiled skips everybody with the reason', async () => {
  const { campaign, states } = await sendTo(addresses(5, 'template.example'), { html: '{% if %}' });
  expect(states).toEqual({ skipped: 5 });
  expect((await reasonsOf(campaign, 7))[0]).toMatch(/^invalid_template/);
});

test('who is erased after the expansion gets nothing, and no address is left', async () => {
  const stall = scenario.sink.addRule({
    stage: 'connect',
    action: { do: 'reply', code: 421, text: '4.3.2 not now' },
  });
  const campaign = await scenario.campaign(addresses(40, 'erased.example'));
  await scenario.sink.waitForHits(stall, 1, { timeoutMs: 10_000 });
  const [erased] = await scenario.db.rows<{ id: number }>(
    "SELECT id FROM profiles WHERE email = 'person9@erased.example'",
  );
  await eraseProfile(scenario.db, { tenantId: campaign.tenantId as TenantId, id: erased?.id as ProfileId });
  scenario.sink.setRules([]);
  await scenario.waitForState(campaign, 'sent');
  const states = await scenario.states(campaign);
  expect(states.sent).toBe(39);
  expect((states.skipped ?? 0) + (states.suppressed ?? 0)).toBe(1);
  expect(scenario.sink.accepted().byAddress.has('person9@erased.example')).toBe(false);
  await scenario.check();
});

test('with destinations by provider, each has lanes of its own and all are served', async () => {
  const domains = ['gmail.com', 'yahoo.com', 'outlook.com', 'firm-a.example', 'firm-b.example'];
  const emails = domains.flatMap((domain) => addresses(60, domain));
  const { campaign, states } = await sendTo(emails, { destinationMode: 'provider' });
  expect(states).toEqual({ sent: 300 });
  const lanes = await scenario.db.rows('SELECT 1 FROM lanes WHERE tenant_id = ?', [campaign.tenantId]);
  expect(lanes.length).toBeGreaterThanOrEqual(4);
});

test('two tenants that send at once to the same people do not disturb each other', async () => {
  const emails = addresses(300, 'shared.example');
  const both = await Promise.all([scenario.campaign(emails), scenario.campaign(emails)]);
  for (const campaign of both) await scenario.waitForState(campaign, 'sent');
  for (const campaign of both) expect(await scenario.states(campaign)).toEqual({ sent: 300 });
  expect(acceptedFor('shared.example')).toBe(600);
  await scenario.check();
});

test('each message is what another parser expects: headers, both parts, short lines', async () => {
  await sendTo(addresses(20, 'kept.example'), {
    subject: 'Grüße, {{ profile.first_name }}',
    html: `<html><body><p>Héllo {{ profile.first_name }}</p><p>${'long '.repeat(400)}</p><a href="{{ unsubscribe_url }}">stop</a></body></html>`,
  });
  const kept = scenario.sink.accepted().kept.filter(({ to }) => to[0]?.endsWith('@kept.example'));
  expect(kept).toHaveLength(20);
  for (const message of kept) {
    const bytes = message.bytes as Buffer;
    const mail = await PostalMime.parse(bytes);
    const number = /person(\d+)@/.exec(message.to[0] as string)?.[1];
    expect(mail.subject).toBe(`Grüße, Name${number}`);
    expect(mail.html).toContain(`Héllo Name${number}`);
    expect(mail.text).toContain(`Héllo Name${number}`);
    expect(mail.from?.address).toBe('shop@example.com');
    expect(mail.to?.map(({ address }) => address)).toEqual(message.to);
    expect(mail.messageId).toMatch(/^<dlv_[0-9a-z]{33}\.[0-9a-z]{16}@example\.com>$/);
    const headers = new Map(mail.headers.map(({ key, value }) => [key, value]));
    expect(headers.get('list-unsubscribe')).toMatch(/^<https?:/);
    expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(headers.get('feedback-id')).toBeTruthy();
    expect(message.from).toMatch(/^b\+dlv_/);
    const lines = bytes.toString('latin1').split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(bytes.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  }
});
