/** How a campaign gets on: once, and as a live stream. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { timestamp } from '../http/schemas.ts';
import { type DeliveryState, deliveryStateNames } from '../ledger/states.ts';
import type { CampaignKey } from './campaign.ts';
import { campaignParams } from './campaign-schemas.ts';
import { campaignStates } from './campaign-state.ts';
import { isOver, totalOf } from './progress-store.ts';
import { writeEvents } from './progress-stream.ts';
import type { ProgressWatch, Seen } from './progress-watch.ts';

export function progressRoutes(watch: ProgressWatch): Route[] {
  return [progressRoute(watch), streamRoute(watch)];
}

const tag = 'Campaigns';
/** A client comes back by itself, and its key is checked anew. */
const longestStreamMs = 15 * 60_000;
const looksPerHeartbeat = 15;

const counts = Object.fromEntries(deliveryStateNames.map((state) => [state, z.int()])) as Record<
  DeliveryState,
  z.ZodInt
>;
const progressOut = z
  .object({
    state: z.enum(campaignStates),
    paused: z.boolean(),
    settling: z.boolean(),
    total_is_final: z.boolean().meta({
      description:
        'False while the audience is still being expanded, and for good where the campaign was cancelled or failed before that was done',
    }),
    estimated_recipients: z.int().nullable().meta({ description: 'As estimated when it was scheduled' }),
    recipients: z.object({ total: z.int(), ...counts }).meta({
      description: 'By state. Counted when up to 500 messages have ended: behind by what is on the wire',
    }),
    in_doubt: z.int().meta({
      description: 'May or may not have been accepted; settled by the campaign’s policy or by feedback',
    }),
    rate_per_second: z
      .number()
      .nullable()
      .meta({ description: 'Recipients settled, over the last ten seconds; null after the first look' }),
    eta_seconds: z.number().nullable().meta({ description: 'Null while it can’t be told' }),
    started_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
  })
  .meta({ id: 'CampaignProgress' });

function progressRoute(watch: ProgressWatch): Route {
  return defineRoute({
    ...{
      method: 'get',
      path: '/v1/campaigns/{campaign_id}/progress',
      operationId: 'getCampaignProgress',
      tag,
    },
    summary: 'Get the progress of a campaign',
    access: 'campaigns:read',
    params: campaignParams,
    responses: { 200: { description: 'The progress', schema: progressOut } },
    async handle({ tenantId, params }) {
      return json(200, showSeen(await lookOrThrow(watch, { tenantId, id: params.campaign_id })));
    },
  });
}

function streamRoute(watch: ProgressWatch): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/campaigns/{campaign_id}/progress/stream',
    operationId: 'streamCampaignProgress',
    tag,
    summary: 'Follow the progress of a campaign live',
    description:
      'Server-sent events: `progress` with the document of the progress call, each second that changes something; `done` with the last ' +
      'one, when the campaign is over and settled. A stream ends after 15 minutes: come back.',
    access: 'campaigns:read',
    params: campaignParams,
    problems: ['rate_limited'],
    responses: { 200: { description: 'The events', contentType: 'text/event-stream' } },
    async handle({ tenantId, params }) {
      const key = { tenantId, id: params.campaign_id };
      await lookOrThrow(watch, key);
      watch.admit(tenantId);
      return {
        kind: 'stream',
        status: 200,
        headers,
        write: (out, signal) => stream(watch, key, { out, signal }),
      };
    },
  });
}

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // For nginx, which otherwise waits for more before it passes anything on.
  'X-Accel-Buffering': 'no',
};

type StreamTarget = { readonly out: Parameters<typeof writeEvents>[0]; readonly signal: AbortSignal };

async function stream(watch: ProgressWatch, key: CampaignKey, target: StreamTarget): Promise<void> {
  const signal = AbortSignal.any([target.signal, AbortSignal.timeout(longestStreamMs)]);
  const isLast = ({ progress }: Seen) => isOver(progress);
  await writeEvents(target.out, watch.follow(key, signal), {
    show: showSeen,
    isLast,
    looksPerHeartbeat,
    signal,
  });
}

async function lookOrThrow(watch: ProgressWatch, key: CampaignKey): Promise<Seen> {
  const seen = await watch.look(key);
  if (!seen) throw new AppError('not_found', { detail: 'There is no such campaign' });
  return seen;
}

function showSeen({ progress, ratePerSecond, etaSeconds }: Seen) {
  return {
    state: progress.state,
    paused: progress.isPaused,
    settling: progress.isSettling,
    total_is_final: progress.isTotalFinal,
    estimated_recipients: progress.estimatedRecipients,
    recipients: { total: totalOf(progress.counts), ...progress.counts },
    in_doubt: progress.counts.in_doubt,
    rate_per_second: ratePerSecond,
    eta_seconds: etaSeconds,
    started_at: progress.startedAt,
    finished_at: progress.finishedAt,
  };
}
