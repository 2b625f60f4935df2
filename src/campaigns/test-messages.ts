/** A campaign's message for a few addresses of its author's, marked as a test. */
import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import { formatId } from '../ids.ts';
import type { RenderResult } from '../render/render.ts';
import type { MessageSource } from '../render/source.ts';
import { formatUnsubscribeUrl } from '../render/tokens.ts';
import { type RunTemplateJob, restoreBuffers } from '../templates/template-jobs.ts';
import type { OutboundMessage } from '../transports/contract.ts';
import type { Campaign } from './campaign.ts';
import { toCampaignError } from './message-source.ts';

export interface TestMessages {
  readonly campaign: Campaign;
  readonly source: MessageSource;
  readonly to: readonly string[];
  /** Of the profile whose data it shows. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly publicUrl: string;
  readonly now: Date;
}

export type TestMessage =
  | { readonly kind: 'rendered'; readonly to: string; readonly outbound: OutboundMessage }
  | { readonly kind: 'skipped'; readonly to: string; readonly detail: string };

/** One per address. The link to unsubscribe leads nowhere: a colleague's click on it must not unsubscribe a customer. */
export async function renderTestMessages(
  runTemplateJob: RunTemplateJob,
  options: TestMessages,
): Promise<readonly TestMessage[]> {
  const { campaign, to, attributes, publicUrl, now } = options;
  const source = { ...options.source, subject: `[Test] ${options.source.subject}` };
  const context = { campaign: { id: formatId('campaign', campaign.id), name: campaign.name }, now };
  const unsubscribeUrl = formatUnsubscribeUrl(publicUrl, 'test');
  const recipients = to.map((email, seq) => ({ seq, email, attributes, token: testToken(), unsubscribeUrl }));
  const answer = await runTemplateJob(campaign.tenantId, 'render', { source, recipients, context });
  if (answer.kind === 'invalid')
    throw new AppError('invalid_request', { errors: answer.errors.map(toCampaignError) });
  const { compiled, results } = restoreBuffers(answer);
  return to.map((email, i) => toTestMessage(email, compiled, results[i] as RenderResult));
}

/** Belongs to no delivery: bounces of tests and replies to them find nothing to change. */
function testToken(): string {
  return `test.${randomBytes(12).toString('hex')}`;
}

function toTestMessage(to: string, compiled: OutboundMessage['compiled'], result: RenderResult): TestMessage {
  if (result.kind === 'skipped') return { kind: 'skipped', to, detail: `${result.reason}: ${result.detail}` };
  return { kind: 'rendered', to, outbound: { compiled, rendered: result.message } };
}
