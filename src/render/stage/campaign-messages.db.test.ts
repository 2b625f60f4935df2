import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deriveKeys } from '../../keys.ts';
import { createTestCampaign, type TestCampaign } from '../../testing/test-campaign.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';
import { createCampaignMessages, type PreparedMessage } from './campaign-messages.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const emails = ['ada@example.com'];
let now = 0;
const clock = { now: () => now, monotonic: () => now };

async function campaign(bounceDomain: string): Promise<TestCampaign> {
  const { db } = database;
  const smtpSettings = { bounceDomain };
  return createTestCampaign({ db, keys: deriveKeys(randomBytes(32)), emails, smtpPort: 25, smtpSettings });
}

/** As the API does: other settings, another version. */
async function setBounceDomain({ transportId }: TestCampaign, bounceDomain: string): Promise<void> {
  const settings = JSON.stringify({ host: '127.0.0.1', port: 25, tls: 'none', bounceDomain });
  await database.db.write('UPDATE transports SET settings = ?, version = version + 1 WHERE id = ?', [
    settings,
    transportId,
  ]);
}

const bounceDomainOf = (message: PreparedMessage) =>
  message.kind === 'ready' && message.template.bounceDomain;

test('a message is compiled once, and its return path is that of the transport of a second ago at most', async () => {
  const messages = createCampaignMessages(database.db, clock);
  const one = await campaign('bounces.example.com');
  const prepare = () => messages.prepare(one.tenantId, one.campaignId);
  const first = await prepare();
  expect(bounceDomainOf(first)).toBe('bounces.example.com');
  now += 5_000;
  expect(await prepare()).toBe(first);
  await setBounceDomain(one, 'returns.example.com');
  expect(await prepare(), 'within the second').toBe(first);
  now += 1_000;
  expect(bounceDomainOf(await prepare())).toBe('returns.example.com');
});

test('what could not be compiled for the transport is compiled when that is repaired', async () => {
  const messages = createCampaignMessages(database.db, clock);
  const one = await campaign('mailhub');
  const prepare = () => messages.prepare(one.tenantId, one.campaignId);
  expect(await prepare()).toMatchObject({
    kind: 'broken',
    reason: expect.stringContaining('bounceDomain'),
  });
  await setBounceDomain(one, 'bounces.example.com');
  now += 1_000;
  expect(bounceDomainOf(await prepare())).toBe('bounces.example.com');
});
