/** `/v1/campaigns/{campaign_id}/pace`: why is this campaign slow? */
import { z } from 'zod';
import { campaignParams } from '../campaigns/campaign-schemas.ts';
import { AppError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import { type GatheredFacts, gatherFacts } from './campaign-facts-store.ts';
import { explainCampaign } from './explain-campaign.ts';
import { campaignRules, type Finding } from './finding.ts';
import type { PaceViewParts } from './read-status.ts';

export function campaignPaceRoutes(parts: PaceViewParts): Route[] {
  return [paceRoute(parts)];
}

const findingOut = z.object({
  rule: z.enum(campaignRules).meta({ description: 'For programs; a later release may add some' }),
  effect: z.enum(['stop', 'limit', 'note']).meta({
    description:
      '`stop`: what it concerns does not move. `limit`: it moves no faster. `note`: it slows nothing down by itself',
  }),
  detail: z.string().meta({
    description: 'A sentence, for people: it may be worded otherwise in a later release',
    example: 'It is set to no more than 1,200 messages a minute.',
  }),
  destination: z
    .object({ id: idOut('destination'), name: z.string() })
    .nullable()
    .meta({
      description: 'Where it holds; null: everywhere',
    }),
  pending: z.int().meta({ description: 'Messages of the campaign that it concerns' }),
  seconds: z
    .number()
    .nullable()
    .meta({ description: 'By this alone it takes at least so long. Null where nobody can tell' }),
});

const campaignPaceOut = z
  .object({
    pending: z.int().meta({ description: 'Messages that are not settled, those under way included' }),
    is_estimate: z.boolean().meta({
      description:
        'True for very large campaigns: the parts of its destinations are extrapolated from 5,000 chunks',
    }),
    findings: z.array(findingOut).meta({ description: 'What limits it, most important first' }),
    at_least_seconds: z.number().nullable().meta({
      description:
        'At what is measured and allowed now it takes at least so long; other mail at the same destinations makes it longer. Null where nobody can tell',
    }),
  })
  .meta({ id: 'CampaignPace' });

function paceRoute(parts: PaceViewParts): Route {
  return defineRoute({
    ...{
      method: 'get',
      path: '/v1/campaigns/{campaign_id}/pace',
      operationId: 'explainCampaignPace',
      tag: 'Pace',
    },
    summary: 'Explain why a campaign is not faster',
    description:
      'What stops all of it comes alone: paused, not due, no worker running. Else what stops or limits a part, by how many of its messages wait for ' +
      'it, then what is worth knowing. For a person who asks: its progress is the call to poll.',
    access: 'campaigns:read',
    params: campaignParams,
    responses: { 200: { description: 'The explanation', schema: campaignPaceOut } },
    async handle({ tenantId, params }) {
      const gathered = await gatherFacts(parts, { tenantId, id: params.campaign_id });
      if (!gathered) throw new AppError('not_found', { detail: 'There is no such campaign' });
      return json(200, showPace(gathered));
    },
  });
}

function showPace({ facts, isEstimate }: GatheredFacts) {
  const { findings, secondsLeft } = explainCampaign(facts);
  return {
    pending: facts.pending,
    is_estimate: isEstimate,
    findings: findings.map(showFinding),
    at_least_seconds: secondsLeft,
  };
}

function showFinding({ rule, weight, detail, destination, pending, seconds }: Finding) {
  const place = destination && { id: formatId('destination', destination.id), name: destination.name };
  return { rule, effect: weight, detail, destination: place ?? null, pending, seconds: seconds ?? null };
}
