/** `POST /v1/campaigns/{id}/test`: the campaign's message to a few addresses, now. */
import { z } from 'zod';
import { addressHash } from '../audience/address.ts';
import { addressText } from '../audience/profile-input.ts';
import { findProfile } from '../audience/profile-store.ts';
import { AppError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam } from '../http/schemas.ts';
import type { ProfileId, TenantId, TransportId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/mysql.ts';
import type { RunTemplateJob } from '../templates/template-jobs.ts';
import { readTransport } from '../transport-settings/transport-store.ts';
import type { Outcome } from '../transports/contract.ts';
import type { Campaign } from './campaign.ts';
import { campaignParams } from './campaign-schemas.ts';
import { getCampaign } from './known-campaign.ts';
import { checkMessageReadiness } from './readiness.ts';
import { renderTestMessages, type TestMessage } from './test-messages.ts';
import type { SendTest } from './test-sender.ts';
import type { SignTest } from './test-signer.ts';

export interface TestSendRoutesOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** Keys the HMAC of addresses. */
  readonly addressKey: Buffer;
  readonly publicUrl: string;
  readonly sendTest: SendTest;
  readonly signTest: SignTest;
  readonly runTemplateJob: RunTemplateJob;
}

export function testSendRoutes(options: TestSendRoutesOptions): Route[] {
  return [testRoute(options)];
}

const testBody = z.strictObject({
  to: z.array(addressText).min(1).max(10),
  profile_id: idParam('profile').optional().meta({ description: 'Whose data to show; none when not given' }),
});

const resultOut = z.object({
  to: z.string(),
  outcome: z.enum(['accepted', 'deferred', 'rejected', 'unknown', 'untransmitted', 'suppressed', 'skipped']),
  reply_code: z.int().nullable(),
  detail: z.string().nullable(),
});

function testRoute(options: TestSendRoutesOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/campaigns/{campaign_id}/test', operationId: 'sendTestMessage' },
    tag: 'Campaigns',
    summary: 'Send a test message',
    description:
      'Through the campaign’s transport at once, signed as its messages are, with `[Test]` before the subject. Suppressed addresses get none. ' +
      'Its link to unsubscribe leads nowhere. It is no delivery of the campaign, and is not tried again.',
    access: 'campaigns:write',
    params: campaignParams,
    body: testBody,
    problems: ['transport_failed', 'conflict', 'invalid_template'],
    responses: {
      200: { description: 'One result per address', schema: z.object({ results: z.array(resultOut) }) },
    },
    async handle({ tenantId, params, body }) {
      const campaign = await getCampaign(options.db, { tenantId, id: params.campaign_id });
      const to = [...new Set(body.to)];
      return json(200, { results: await sendTests(options, campaign, { to, profileId: body.profile_id }) });
    },
  });
}

interface TestOrder {
  readonly to: readonly string[];
  readonly profileId: ProfileId | undefined;
}

async function sendTests(options: TestSendRoutesOptions, campaign: Campaign, { to, profileId }: TestOrder) {
  const { db, clock, publicUrl } = options;
  const readiness = await checkMessageReadiness(options, campaign, campaign);
  if (readiness.kind === 'unready') throw new AppError('invalid_request', { errors: readiness.errors });
  const attributes = profileId === undefined ? {} : await readAttributes(db, campaign.tenantId, profileId);
  const suppressed = await findSuppressed(options, campaign.tenantId, to);
  const allowed = to.filter((email) => !suppressed.has(email));
  const { source } = readiness;
  const now = new Date(clock.now());
  const tests = { campaign, source, to: allowed, attributes, publicUrl, now };
  const messages = await renderTestMessages(options.runTemplateJob, tests);
  const outcomes = await send(options, campaign, { messages, domain: source.sendingDomain });
  return to.map((email) => showResult(email, suppressed, messages, outcomes));
}

async function readAttributes(db: Database, tenantId: TenantId, id: ProfileId) {
  const profile = await findProfile(db, tenantId, id);
  if (profile) return profile.attributes;
  throw new AppError('invalid_request', {
    errors: [{ pointer: '/profile_id', detail: 'There is no such profile' }],
  });
}

async function findSuppressed(
  { db, addressKey }: TestSendRoutesOptions,
  tenantId: TenantId,
  emails: readonly string[],
): Promise<ReadonlySet<string>> {
  const hashes = emails.map((email) => addressHash(addressKey, tenantId, email));
  const rows = await db.rows<{ hash: Buffer }>(
    `SELECT address_hash AS hash FROM suppressions WHERE tenant_id = ? AND address_hash IN (?) AND scope = '*'`,
    [tenantId, hashes],
  );
  const isSuppressed = (i: number) => rows.some((row) => hashes[i]?.equals(row.hash));
  return new Set(emails.filter((_, i) => isSuppressed(i)));
}

/** Outcomes by address; nothing is opened when there is nothing to send. */
async function send(
  { db, sendTest, signTest }: TestSendRoutesOptions,
  { tenantId, transportId }: Campaign,
  { messages, domain }: { readonly messages: readonly TestMessage[]; readonly domain: string },
): Promise<ReadonlyMap<string, Outcome>> {
  const rendered = messages.filter((message) => message.kind === 'rendered');
  if (rendered.length === 0) return new Map();
  const transport = await readTransport(db, tenantId, transportId as TransportId);
  if (!transport) throw new AppError('conflict', { detail: 'The transport was deleted at the same moment' });
  const outbound = rendered.map((message) => message.outbound);
  const outcomes = await sendTest(transport, await signTest({ tenantId, domain }, outbound));
  return new Map(rendered.map((message, i) => [message.to, outcomes[i] as Outcome]));
}

function showResult(
  to: string,
  suppressed: ReadonlySet<string>,
  messages: readonly TestMessage[],
  outcomes: ReadonlyMap<string, Outcome>,
) {
  if (suppressed.has(to))
    return { to, outcome: 'suppressed', reply_code: null, detail: 'The address is suppressed' };
  const outcome = outcomes.get(to);
  if (outcome)
    return { to, outcome: outcome.kind, reply_code: outcome.reply.code, detail: outcome.reply.text };
  const skipped = messages.find((message) => message.to === to && message.kind === 'skipped');
  return {
    to,
    outcome: 'skipped',
    reply_code: null,
    detail: skipped?.kind === 'skipped' ? skipped.detail : null,
  };
}
