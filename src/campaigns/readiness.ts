/** Whether a campaign can be sent: all that is missing, unknown or broken, at once, by its fields. */
import type { FieldError } from '../errors.ts';
import type { Sql } from '../platform/mysql.ts';
import type { MessageSource } from '../render/source.ts';
import type { RunTemplateJob } from '../templates/template-jobs.ts';
import type { Campaign, CampaignContent } from './campaign.ts';
import { type References, type ResolvedTemplate, resolveReferences } from './campaign-references.ts';
import { findMessageErrors, toCampaignError, toMessageSource } from './message-source.ts';

export type Readiness =
  | { readonly kind: 'ready'; readonly templateVersion: number; readonly source: MessageSource }
  | { readonly kind: 'unready'; readonly errors: readonly FieldError[] };

export interface ReadinessOptions {
  readonly db: Sql;
  readonly runTemplateJob: RunTemplateJob;
}

type Identity = Pick<Campaign, 'tenantId' | 'id'>;

/** For sending it to its audience. Compiles the message as the render stage will: what is ready can't turn out broken there. */
export async function checkReadiness(
  options: ReadinessOptions,
  identity: Identity,
  content: CampaignContent,
): Promise<Readiness> {
  return check(options, identity, content, () => true);
}

/** For sending its message to somebody else: the audience may be missing or wrong. */
export async function checkMessageReadiness(
  options: ReadinessOptions,
  identity: Identity,
  content: CampaignContent,
): Promise<Readiness> {
  return check(options, identity, content, ({ pointer }) => !pointer?.startsWith('/audience'));
}

async function check(
  options: ReadinessOptions,
  identity: Identity,
  content: CampaignContent,
  isRelevant: (error: FieldError) => boolean,
): Promise<Readiness> {
  const references = await resolveReferences(options.db, identity.tenantId, content);
  const errors = [...findMissing(content), ...references.errors].filter(isRelevant);
  const source = toSource(identity, content, references);
  if (source) {
    const wrong = await options.runTemplateJob(identity.tenantId, 'check', source);
    errors.push(...wrong.map(toCampaignError));
  } else errors.push(...findMessageErrors(content.message));
  if (errors.length > 0 || !source) return { kind: 'unready', errors };
  const { version } = references.template as ResolvedTemplate;
  return { kind: 'ready', templateVersion: version, source };
}

function findMissing({ audience, templateId, transportId, message }: CampaignContent): FieldError[] {
  const missing = {
    '/audience/included_lists': audience.includedLists.length === 0,
    '/template_id': templateId === null,
    '/transport_id': transportId === null,
    '/message/from_email': message.fromEmail === undefined,
  };
  return Object.entries(missing).flatMap(([pointer, isMissing]) =>
    isMissing ? [{ pointer, detail: 'is needed before the campaign can be sent' }] : [],
  );
}

function toSource(
  { tenantId, id }: Identity,
  { message }: CampaignContent,
  { template, transport }: References,
): MessageSource | undefined {
  const { fromEmail } = message;
  if (!template || !transport || fromEmail === undefined) return undefined;
  return toMessageSource({
    tenantId,
    campaignId: id,
    message: { ...message, fromEmail },
    template,
    bounceDomain: transport.settings.bounceDomain,
  });
}
