/** Leaving a list by the link of a message, and what that means for campaigns to several. */
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressHash } from '../audience/address.ts';
import { addMembersByHash } from '../audience/list-members.ts';
import { unsubscribeRoutes } from '../audience/unsubscribe-routes.ts';
import type { ListId, ProfileId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { signUnsubscribe } from '../render/tokens.ts';
import { type Scenario, startScenario } from './scenario.ts';
import { startTestApi, type TestApi } from './test-api.ts';
import type { TestCampaign } from './test-campaign.ts';

const secretKey = Buffer.alloc(32, 7);
const keys = deriveKeys(secretKey);
let scenario: Scenario;
let api: TestApi;
beforeAll(async () => {
  scenario = await startScenario({
    sink: { keepBodies: () => true },
    environment: { SECRET_KEY: secretKey.toString('base64') },
  });
  const { db } = scenario;
  api = await startTestApi({ routes: () => unsubscribeRoutes({ db, signingKeys: [keys.signing] }) });
});
afterAll(async () => {
  await api.stop();
  await scenario.end();
});

const [ada, bob, cleo] = ['ada@left.example', 'bob@left.example', 'cleo@left.example'] as const;

/** As an import does. */
const addTo = ({ tenantId }: TestCampaign, listId: number, email: string) =>
  addMembersByHash(scenario.db, { tenantId, id: listId as ListId }, [
    addressHash(keys.address, tenantId, email).toString('hex'),
  ]);

const copiesOf = (email: string) => scenario.sink.accepted().byAddress.get(email) ?? 0;

/** By the link in the header of the message that came to `email` first. */
async function oneClick(email: string): Promise<string> {
  const kept = scenario.sink.accepted().kept.find(({ to }) => to[0] === email);
  const { headers } = await PostalMime.parse(kept?.bytes as Buffer);
  const link = headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '';
  return unsubscribeBy(/\/u\/[\w-]+/.exec(link)?.[0] ?? '');
}

async function unsubscribeBy(path: string): Promise<string> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const reply = await api.anonymous.request('POST', path, { raw: 'List-Unsubscribe=One-Click', headers });
  expect(reply.status).toBe(200);
  return reply.text;
}

/** One more campaign of the same tenant, to its first list and one of its own. */
async function toBoth(first: TestCampaign, emails: readonly string[]): Promise<TestCampaign> {
  const { tenantId, transportId } = first;
  const campaign = await scenario.campaign(emails, { tenantId, transportId, sendInSeconds: 3_600 });
  const audience = { includedLists: [first.listId, campaign.listId], excludedLists: [] };
  await scenario.change(campaign, `audience = '${JSON.stringify(audience)}'`);
  return campaign;
}

const goNow = (campaign: TestCampaign) => scenario.change(campaign, 'send_at = NOW(3)');

test('whoever left the only list that they are on gets nothing through it any more, imported again or not', async () => {
  const first = await scenario.campaign([ada, bob]);
  await scenario.waitForState(first, 'sent');
  for (const email of [ada, bob]) expect(await oneClick(email)).toContain('You will not get &#34;Test&#34;');
  const second = await toBoth(first, [cleo]);
  await addTo(second, first.listId, ada);
  await addTo(second, second.listId, bob);
  await goNow(second);
  await scenario.waitForState(second, 'sent');
  expect(await scenario.states(second)).toEqual({ sent: 2, suppressed: 1 });
  expect([ada, bob, cleo].map(copiesOf)).toEqual([1, 2, 1]);
  await scenario.check();
});

test('whoever leaves the last of their lists when the campaign is expanded gets nothing', async () => {
  const stall = scenario.sink.addRule({
    stage: 'connect',
    action: { do: 'reply', code: 421, text: '4.3.2 not now' },
  });
  const [dora, emil, fay] = ['dora@leaving.example', 'emil@leaving.example', 'fay@leaving.example'] as const;
  const first = await scenario.campaign([fay], { sendInSeconds: 3_600 });
  const both = await toBoth(first, [dora, emil]);
  for (const email of [dora, emil]) await addTo(both, first.listId, email);
  await goNow(both);
  await scenario.sink.waitForHits(stall, 1, { timeoutMs: 10_000 });
  for (const list of [first.listId, both.listId]) await leave(both, dora, list);
  await leave(both, emil, both.listId);
  scenario.sink.setRules([]);
  await scenario.waitForState(both, 'sent');
  expect(await scenario.states(both)).toEqual({ sent: 2, suppressed: 1 });
  expect([dora, emil, fay].map(copiesOf)).toEqual([0, 1, 1]);
  await scenario.check();
});

async function leave({ tenantId }: TestCampaign, email: string, listId: number): Promise<void> {
  const profile = await scenario.db.first<{ id: ProfileId }>(
    'SELECT id FROM profiles WHERE tenant_id = ? AND email = ?',
    [tenantId, email],
  );
  const target = { tenantId, profileId: profile?.id as ProfileId, list: listId as ListId };
  await unsubscribeBy(`/u/${signUnsubscribe(keys.signing, target)}`);
}
