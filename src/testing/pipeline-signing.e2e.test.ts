/** Signed and unsigned: what arrives at the sink, verified by mailauth with the records that the API shows. */
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dkimRecord, makeDkimKey } from '../dkim/dkim-key.ts';
import type { DkimAlgorithm } from '../dkim/sign-message.ts';
import { newId, type TenantId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { sealDkimKey } from '../sending-domains/sealed-key.ts';
import { activateSendingDomain, insertSendingDomain } from '../sending-domains/sending-domain-store.ts';
import { addresses, type Scenario, startScenario } from './scenario.ts';

const domain = 'example.com';
const html = '<p>.{{ profile.first_name }}, Grüße!</p>\n.\n\n\n';
const box = createSecretBox(deriveKeys(Buffer.alloc(32, 7)).secrets);
const records = new Map<string, string>();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await startScenario({
    sink: { keepBodies: 'all' },
    environment: { SECRET_KEY: Buffer.alloc(32, 7).toString('base64') },
  });
});
afterAll(() => scenario.end());

async function addKey(tenantId: TenantId, algorithm: DkimAlgorithm, secretBox = box): Promise<void> {
  const { privateKey, publicKey } = await makeDkimKey(algorithm);
  const place = {
    tenantId,
    id: newId('sendingDomain'),
    domain,
    selector: `${algorithm.slice(0, 3)}-${tenantId}`,
  };
  const row = { ...place, algorithm, publicKey };
  await insertSendingDomain(scenario.db, { ...row, privateKey: sealDkimKey(secretBox, place, privateKey) });
  await activateSendingDomain(scenario.db, place);
  records.set(dkimRecord(row).name, dkimRecord(row).value);
}

async function resolver(name: string): Promise<string[][]> {
  const value = records.get(name);
  if (value === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return [[value]];
}

/** What mailauth says of each message that reached the domain. */
async function verdictsAt(recipients: string): Promise<string[]> {
  const messages = scenario.sink.accepted().log.filter(({ to }) => to[0]?.endsWith(`@${recipients}`));
  const verdicts = messages.map(async ({ bytes }) => {
    const { results } = await dkimVerify(bytes as Buffer, { resolver });
    return results.map(({ status, signingDomain }) => `${status.result} ${signingDomain}`).join(' ');
  });
  return [...new Set(await Promise.all(verdicts))];
}

test('a domain’s messages carry the signatures of its active keys, and verify where they arrive', async () => {
  const tenantId = newId('tenant');
  await addKey(tenantId, 'rsa-sha256');
  await addKey(tenantId, 'ed25519-sha256');
  const campaign = await scenario.campaign(addresses(100, 'signed.example'), { tenantId, html });
  await scenario.waitForState(campaign, 'sent');
  expect(await scenario.states(campaign)).toEqual({ sent: 100 });
  expect(await verdictsAt('signed.example')).toEqual([`pass ${domain} pass ${domain}`]);
  await scenario.check();
});

test('without a key they go unsigned', async () => {
  const campaign = await scenario.campaign(addresses(20, 'unsigned.example'), { html });
  await scenario.waitForState(campaign, 'sent');
  const [message] = scenario.sink.accepted().log.filter(({ to }) => to[0]?.endsWith('@unsigned.example'));
  expect(message?.bytes?.toString()).toMatch(/^From: /);
});

test('with a key that does not open they wait; a campaign of another tenant goes on', async () => {
  const tenantId = newId('tenant');
  await addKey(tenantId, 'ed25519-sha256', createSecretBox(Buffer.alloc(32, 9)));
  const held = await scenario.campaign(addresses(20, 'held.example'), { tenantId });
  const other = await scenario.campaign(addresses(20, 'others.example'));
  await scenario.waitForState(other, 'sent');
  const setBack = async () => {
    const row = await scenario.db.first<{ n: number }>(
      'SELECT COUNT(*) AS n FROM chunks WHERE campaign_id = ? AND state = 0 AND due_at > NOW(3) + INTERVAL 5 SECOND',
      [held.campaignId],
    );
    return row?.n;
  };
  await expect.poll(setBack, { timeout: 10_000, interval: 50 }).toBe(1);
  expect(await scenario.states(held)).toEqual({ pending: 20 });
  expect(scenario.sink.accepted().byDomain.get('held.example')).toBeUndefined();
  await scenario.db.write(
    'UPDATE sending_domains SET is_active = 0, version = version + 1 WHERE tenant_id = ?',
    [tenantId],
  );
  // Again and again: one that is dispatched before the worker has looked is set back once more.
  const accepted = async () => {
    await scenario.db.write('UPDATE chunks SET due_at = NOW(3) WHERE campaign_id = ?', [held.campaignId]);
    await scenario.db.write('UPDATE lanes SET next_due_at = NOW(3) WHERE tenant_id = ?', [tenantId]);
    return scenario.sink.accepted().byDomain.get('held.example');
  };
  await expect.poll(accepted, { timeout: 10_000, interval: 200 }).toBe(20);
  await scenario.waitForState(held, 'sent');
  expect(scenario.sink.accepted().byDomain.get('held.example')).toBe(20);
  await scenario.check();
});
