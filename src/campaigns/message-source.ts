/** A campaign's message, put together for the compiler; and the compiler's complaints, put back onto the campaign's fields. */
import type { FieldError } from '../errors.ts';
import { type CampaignId, formatId, type TenantId } from '../ids.ts';
import { findHeadErrors } from '../render/head.ts';
import type { MessageSource, SourceError, TemplateSource } from '../render/source.ts';
import type { CampaignMessage } from './campaign.ts';

export interface MessageParts {
  readonly tenantId: TenantId;
  readonly campaignId: CampaignId;
  readonly message: CampaignMessage & { readonly fromEmail: string };
  readonly template: TemplateSource;
  /** The transport's; without one, bounces come back to the sender's domain. */
  readonly bounceDomain: string | undefined;
}

/** The same for a test message as for the campaign itself. */
export function toMessageSource(parts: MessageParts): MessageSource {
  const { message, template, tenantId, campaignId } = parts;
  const sendingDomain = message.fromEmail.slice(message.fromEmail.lastIndexOf('@') + 1);
  const tenant = formatId('tenant', tenantId);
  return {
    ...template,
    from: { email: message.fromEmail, name: message.fromName },
    replyTo: message.replyTo,
    headers: message.headers,
    sendingDomain,
    bounceDomain: parts.bounceDomain ?? sendingDomain,
    listId: tenant,
    feedbackId: {
      campaign: formatId('campaign', campaignId),
      tenant,
      stream: 'campaign',
      sender: 'sluice',
    },
  };
}

/** What is wrong with the sender and the header fields, before there is a template. */
export function findMessageErrors(message: CampaignMessage): FieldError[] {
  const { fromEmail = 'nobody@example.com' } = message;
  const source = toMessageSource({
    ...{ tenantId: 0 as TenantId, campaignId: 0 as CampaignId, bounceDomain: undefined },
    message: { ...message, fromEmail },
    template: { subject: '', html: '' },
  });
  return findHeadErrors(source).map(toCampaignError);
}

export function toCampaignError({ field, detail }: SourceError): FieldError {
  const pointer = pointers[field];
  return pointer === '/template_id' ? { pointer, detail: `${field}: ${detail}` } : { pointer, detail };
}

const pointers: Readonly<Record<SourceError['field'], string>> = {
  subject: '/template_id',
  preheader: '/template_id',
  html: '/template_id',
  text: '/template_id',
  from: '/message/from_email',
  sendingDomain: '/message/from_email',
  replyTo: '/message/reply_to',
  headers: '/message/headers',
  bounceDomain: '/transport_id',
  listId: '',
  feedbackId: '',
};
