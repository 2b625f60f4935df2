/** What is done to a campaign as a whole: schedule, unschedule, pause, resume, cancel; and the estimate that goes before. */
import { z } from 'zod';
import { defineRoute, json, type Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import type { RunTemplateJob } from '../templates/template-jobs.ts';
import { estimateAudience } from './audience-estimate.ts';
import type { CampaignKey } from './campaign.ts';
import { campaignOut, campaignParams, etagOf, scheduleBody, showCampaign } from './campaign-schemas.ts';
import type { CampaignAction } from './campaign-state.ts';
import { explainRefusal, getCampaign } from './known-campaign.ts';
import { schedule } from './schedule-campaign.ts';
import { cancelCampaign, pauseCampaign, resumeCampaign, unscheduleCampaign } from './transition-store.ts';

export interface ActionRoutesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly runTemplateJob: RunTemplateJob;
}

export function actionRoutes(options: ActionRoutesOptions): Route[] {
  const { db } = options;
  return [
    estimateRoute(options),
    scheduleRoute(options),
    ...transitions.map((one) => transitionRoute(db, one)),
  ];
}

const tag = 'Campaigns';
const estimateBudgetMs = 2_000;

const estimateOut = z
  .object({
    recipients: z.int().meta({ description: 'Who would be sent to now' }),
    excluded: z.int(),
    suppressed: z.int(),
    exact: z
      .boolean()
      .meta({ description: 'False: the audience is large, and the figures are extrapolated' }),
  })
  .meta({ id: 'AudienceEstimate' });

function estimateRoute({ db, clock }: ActionRoutesOptions): Route {
  return defineRoute({
    ...{
      method: 'post',
      path: '/v1/campaigns/{campaign_id}/estimate',
      operationId: 'estimateRecipients',
      tag,
    },
    summary: 'Estimate how many recipients a campaign has',
    description:
      'Exact for audiences of up to about a million; larger ones are extrapolated after two seconds.',
    access: 'campaigns:read',
    params: campaignParams,
    responses: { 200: { description: 'The estimate', schema: estimateOut } },
    async handle({ tenantId, params }) {
      const campaign = await getCampaign(db, { tenantId, id: params.campaign_id });
      const estimate = await estimateAudience(db, campaign, { clock, budgetMs: estimateBudgetMs });
      const { recipients, excluded, suppressed, isExact } = estimate;
      return json(200, { recipients, excluded, suppressed, exact: isExact });
    },
  });
}

function scheduleRoute(options: ActionRoutesOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/campaigns/{campaign_id}/schedule', operationId: 'scheduleCampaign', tag },
    summary: 'Send a draft, now or at a time',
    description:
      'Everything that is missing or wrong is reported at once. The template’s version is pinned. A time of up to a minute ago is now. ' +
      '`now` without anybody to send to is refused; at a later time, such a campaign ends as sent to nobody.',
    access: 'campaigns:write',
    params: campaignParams,
    body: scheduleBody,
    problems: ['illegal_transition', 'conflict', 'invalid_template'],
    responses: { 200: { description: 'The scheduled campaign', schema: campaignOut } },
    async handle({ tenantId, params, body }) {
      const campaign = await schedule(options, { tenantId, id: params.campaign_id }, body.send_at);
      return json(200, showCampaign(campaign), etagOf(campaign));
    },
  });
}

interface Transition {
  readonly action: CampaignAction;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly apply: (sql: Sql, key: CampaignKey) => Promise<boolean>;
}

const transitions: readonly Transition[] = [
  {
    action: 'unschedule',
    operationId: 'unscheduleCampaign',
    summary: 'Make a scheduled campaign a draft again',
    description:
      'Until it begins. The version of the template stays pinned; change `template_version` to null to take the latest.',
    apply: unscheduleCampaign,
  },
  {
    action: 'pause',
    operationId: 'pauseCampaign',
    summary: 'Pause a campaign',
    description:
      'No message starts 2 s after the reply. Its deadline goes on. Pausing a paused one changes nothing.',
    apply: pauseCampaign,
  },
  {
    action: 'resume',
    operationId: 'resumeCampaign',
    summary: 'Resume a paused campaign',
    description: 'Resuming one that is not paused changes nothing.',
    apply: resumeCampaign,
  },
  {
    action: 'cancel',
    operationId: 'cancelCampaign',
    summary: 'Cancel a campaign for good',
    description:
      'No message starts 2 s after the reply. Who was still pending becomes `cancelled`, while `settling` is true. ' +
      'Cancelling a cancelled one changes nothing.',
    apply: cancelCampaign,
  },
];

function transitionRoute(db: Database, { action, apply, ...documentation }: Transition): Route {
  return defineRoute({
    ...{ method: 'post', path: `/v1/campaigns/{campaign_id}/${action}`, tag, ...documentation },
    access: 'campaigns:write',
    params: campaignParams,
    problems: ['illegal_transition'],
    responses: { 200: { description: 'The campaign as it is now', schema: campaignOut } },
    async handle({ tenantId, params }) {
      const key = { tenantId, id: params.campaign_id };
      if (!(await apply(db, key))) throw await explainRefusal(db, key, action);
      const campaign = await getCampaign(db, key);
      return json(200, showCampaign(campaign), etagOf(campaign));
    },
  });
}
