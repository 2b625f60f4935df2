/** How campaigns come in and go out. */
import { z } from 'zod';
import { addressText } from '../audience/profile-input.ts';
import { formatEtag } from '../http/etag.ts';
import { idOut, idParam, lineOfText, timestamp, timestampParam } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import type { DeliveryClass } from '../ledger/states.ts';
import type { Campaign } from './campaign.ts';
import { campaignStates } from './campaign-state.ts';

const daySeconds = 86_400;
/** A password reset that comes a day late helps nobody; a campaign may take its time. */
const deliverWithinSeconds: Readonly<Record<DeliveryClass, number>> = {
  transactional: 3_600,
  flow: daySeconds,
  campaign: 3 * daySeconds,
};
const listIds = z.array(idParam('list')).max(100);
const deliveryClass = z.enum(['campaign', 'transactional', 'flow']);
const inDoubtPolicy = z.enum(['assume_delivered', 'resend']).meta({
  description:
    'What becomes of a message that may or may not have been accepted when a worker or a connection died: counted as sent, ' +
    'or sent again with the same Message-ID',
});

const audienceIn = z.strictObject({
  included_lists: listIds
    .default([])
    .meta({ description: 'Who is on any of them, and has not left that one, gets one message' }),
  excluded_lists: listIds.default([]).meta({ description: 'Who is on any of them gets none' }),
});

const messageIn = z.strictObject({
  from_email: addressText.optional(),
  from_name: lineOfText(200).optional(),
  reply_to: addressText.optional(),
  headers: z
    .record(z.string().max(60), z.string().max(900))
    .optional()
    .meta({
      description: 'Further header fields; none that Sluice writes itself',
      example: { 'X-Season': 'bf26' },
    }),
});

const contentFields = {
  name: lineOfText(200),
  audience: audienceIn,
  message: messageIn,
  template_id: idParam('template').nullable(),
  template_version: z.int().min(1).nullable().meta({ description: 'Null: the latest when it is scheduled' }),
  transport_id: idParam('transport').nullable(),
  class: deliveryClass.meta({ description: 'Transactional goes before flow, flow before campaign' }),
  in_doubt_policy: inDoubtPolicy,
  deliver_within_seconds: z
    .int()
    .min(60)
    .max(30 * daySeconds)
    .meta({
      description:
        'What is not delivered so long after `send_at` expires, also while it is paused; a campaign whose audience is not expanded by then is `failed`. By default 3,600 for transactional campaigns, 86,400 for flows and 259,200 for others',
    }),
  max_per_minute: z.int().min(1).max(10_000_000).nullable().meta({
    description: 'No faster than so many messages a minute; null: as fast as destinations allow',
    example: 6000,
  }),
};

export const newCampaign = z
  .strictObject({
    name: contentFields.name,
    audience: audienceIn.prefault({}),
    message: messageIn.default({}),
    template_id: contentFields.template_id.default(null),
    template_version: contentFields.template_version.default(null),
    transport_id: contentFields.transport_id.default(null),
    class: contentFields.class.default('campaign'),
    in_doubt_policy: inDoubtPolicy.default('assume_delivered'),
    deliver_within_seconds: contentFields.deliver_within_seconds.optional(),
    max_per_minute: contentFields.max_per_minute.default(null),
  })
  .meta({ id: 'NewCampaign' });
export type NewCampaign = z.output<typeof newCampaign>;

export function deliverWithinOf({ class: deliveryClass, deliver_within_seconds }: NewCampaign): number {
  return deliver_within_seconds ?? deliverWithinSeconds[deliveryClass];
}

/** Each field that is given replaces the one that is there. */
export const campaignPatch = z.strictObject(contentFields).partial().meta({ id: 'CampaignPatch' });
export type CampaignPatch = z.output<typeof campaignPatch>;

export const campaignParams = z.strictObject({ campaign_id: idParam('campaign') });

export const scheduleBody = z.strictObject({
  send_at: z
    // Tried in this order, so that what is no time is told how to write one.
    .union([timestampParam, z.literal('now')])
    .meta({ description: '`now`, or ISO 8601 with an offset', example: '2026-11-27T09:00:00+01:00' }),
});

export const campaignOut = z
  .object({
    id: idOut('campaign'),
    name: z.string(),
    state: z.enum(campaignStates),
    paused: z.boolean(),
    settling: z
      .boolean()
      .meta({ description: 'Cancelled or failed, and its pending recipients are being settled' }),
    audience: z.object({
      included_lists: z.array(idOut('list')),
      excluded_lists: z.array(idOut('list')),
    }),
    message: z.object({
      from_email: z.string().optional(),
      from_name: z.string().optional(),
      reply_to: z.string().optional(),
      headers: z.record(z.string(), z.string()).optional(),
    }),
    template_id: idOut('template').nullable(),
    template_version: z.int().nullable(),
    transport_id: idOut('transport').nullable(),
    class: deliveryClass,
    in_doubt_policy: inDoubtPolicy,
    deliver_within_seconds: z.int(),
    max_per_minute: z.int().nullable(),
    estimated_recipients: z.int().nullable().meta({ description: 'As estimated when it was scheduled' }),
    failure: z
      .string()
      .nullable()
      .meta({
        description:
          'Why it is `failed`: its transport is gone, or its deadline passed while its audience was being expanded, and then how many recipients were ' +
          'in by then. What was sent stays sent',
      }),
    version: z.int(),
    send_at: timestamp.nullable(),
    deadline_at: timestamp.nullable(),
    paused_at: timestamp.nullable(),
    created_at: timestamp,
    updated_at: timestamp,
    started_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
  })
  .meta({ id: 'Campaign' });

export function showCampaign(campaign: Campaign) {
  const { audience, message, templateId, transportId } = campaign;
  return {
    id: formatId('campaign', campaign.id),
    name: campaign.name,
    state: campaign.state,
    paused: campaign.pausedAt !== null,
    settling: campaign.isSettling,
    audience: {
      included_lists: audience.includedLists.map((id) => formatId('list', id)),
      excluded_lists: audience.excludedLists.map((id) => formatId('list', id)),
    },
    message: {
      from_email: message.fromEmail,
      from_name: message.fromName,
      reply_to: message.replyTo,
      headers: message.headers,
    },
    template_id: templateId && formatId('template', templateId),
    template_version: campaign.templateVersion,
    transport_id: transportId && formatId('transport', transportId),
    class: campaign.class,
    in_doubt_policy: campaign.inDoubtPolicy,
    deliver_within_seconds: campaign.deliverWithinSeconds,
    max_per_minute: campaign.maxPerMinute,
    estimated_recipients: campaign.estimatedRecipients,
    failure: campaign.failure,
    version: campaign.version,
    send_at: campaign.sendAt,
    deadline_at: campaign.deadlineAt,
    paused_at: campaign.pausedAt,
    created_at: campaign.createdAt,
    updated_at: campaign.updatedAt,
    started_at: campaign.startedAt,
    finished_at: campaign.finishedAt,
  };
}

export function etagOf({ version }: Campaign) {
  return { ETag: formatEtag(version) };
}
