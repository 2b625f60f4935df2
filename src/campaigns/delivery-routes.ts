/** What became of each recipient. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, encodeCursor } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut, pageOf, pageQuery, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import { formatDeliveryId, parseDeliveryId } from '../ledger/delivery-id.ts';
import { deliveryStateNames } from '../ledger/states.ts';
import type { Database } from '../platform/mysql.ts';
import type { CampaignKey } from './campaign.ts';
import { campaignParams } from './campaign-schemas.ts';
import { findCampaign } from './campaign-store.ts';
import { areDropped, type Delivery, findDelivery, listDeliveries } from './delivery-store.ts';
import { getCampaign } from './known-campaign.ts';

export function deliveryRoutes(db: Database): Route[] {
  return [listRoute(db), getRoute(db)];
}

const tag = 'Deliveries';
const deliveryState = z.enum(deliveryStateNames);
const deliveryId = z
  .string()
  .max(64)
  .meta({ description: 'Also in the Message-ID', example: `dlv_${'0'.repeat(33)}` });

const deliveryOut = z
  .object({
    id: deliveryId,
    campaign_id: idOut('campaign'),
    profile_id: idOut('profile'),
    email: z
      .string()
      .nullable()
      .meta({ description: 'Null once the profile has another address or was erased' }),
    state: deliveryState,
    attempts: z.int(),
    reply_code: z.int().nullable(),
    reason: z.string().nullable().meta({ description: 'The last reply, or why nothing was sent' }),
    settled_by: z
      .string()
      .nullable()
      .meta({ description: 'Of one that was in doubt: the policy, or feedback' }),
    next_attempt_at: timestamp.nullable(),
    outcome_at: timestamp.nullable(),
  })
  .meta({ id: 'Delivery' });

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/campaigns/{campaign_id}/deliveries', operationId: 'listDeliveries', tag },
    summary: 'List what became of each recipient',
    description:
      'A page may be shorter than asked for, even empty, and still have a `next_cursor`: go on until it is null. ' +
      'By state, recipients are found by counts that are made anew when up to 500 messages have ended, so that one may show up some seconds late. ' +
      'Deliveries are kept for RETENTION_WEEKS after their campaign is over: then this answers 410, and only progress has the totals.',
    problems: ['gone'],
    access: 'campaigns:read',
    params: campaignParams,
    query: pageQuery.extend({ state: deliveryState.optional() }),
    responses: { 200: { description: 'One page', schema: pageOf(deliveryOut) } },
    async handle({ tenantId, params, query: { cursor, page_size: limit, state } }) {
      const campaign = await getCampaign(db, { tenantId, id: params.campaign_id });
      const [chunkNo, seq] = decodeCursor(cursor, chunkNoIn, seqIn) ?? [0, -1];
      const page = await listDeliveries(db, campaign, { state, after: { chunkNo, seq }, limit });
      if (page.deliveries.length === 0 && (await areDropped(db, campaign))) throw gone();
      const next = page.next && encodeCursor([page.next.chunkNo, page.next.seq]);
      return json(200, { data: page.deliveries.map(showDelivery), next_cursor: next ?? null });
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/deliveries/{delivery_id}', operationId: 'getDelivery', tag },
    summary: 'Get one delivery',
    problems: ['gone'],
    access: 'campaigns:read',
    params: z.strictObject({ delivery_id: deliveryId }),
    responses: { 200: { description: 'The delivery', schema: deliveryOut } },
    async handle({ tenantId, params }) {
      const key = parseDeliveryId(params.delivery_id);
      // The id names its tenant, and anybody can write one: another tenant's is as good as none.
      if (key?.tenantId !== tenantId) throw noDelivery();
      const delivery = await findDelivery(db, key);
      if (!delivery) throw await explainAbsence(db, { tenantId, id: key.campaignId });
      return json(200, showDelivery(delivery));
    },
  });
}

async function explainAbsence(db: Database, key: CampaignKey): Promise<AppError> {
  const campaign = await findCampaign(db, key);
  return campaign && (await areDropped(db, campaign)) ? gone() : noDelivery();
}

function noDelivery(): AppError {
  return new AppError('not_found', { detail: 'There is no such delivery' });
}

function gone(): AppError {
  return new AppError('gone', {
    detail: 'The deliveries of this campaign are no longer kept; its progress still has the totals',
  });
}

const chunkNoIn = z
  .int()
  .min(0)
  .max(2 ** 31);
const seqIn = z.int().min(-1).max(32_767);

function showDelivery(delivery: Delivery) {
  return {
    id: formatDeliveryId(delivery.key),
    campaign_id: formatId('campaign', delivery.key.campaignId),
    profile_id: formatId('profile', delivery.profileId),
    email: delivery.email,
    state: delivery.state,
    attempts: delivery.attempts,
    reply_code: delivery.replyCode,
    reason: delivery.reason,
    settled_by: delivery.settledBy,
    next_attempt_at: delivery.nextAttemptAt,
    outcome_at: delivery.outcomeAt,
  };
}
