/** `/v1/campaigns`: drafts. What is done with them is in `action-routes.ts`, what became of them in `progress-routes.ts`. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { assertIfMatch } from '../http/etag.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf, pageQuery } from '../http/schemas.ts';
import type { TenantId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/mysql.ts';
import type { RunTemplateJob } from '../templates/template-jobs.ts';
import type { Campaign, CampaignContent } from './campaign.ts';
import { applyPatch, toContent } from './campaign-input.ts';
import { holdReferences, resolveReferences } from './campaign-references.ts';
import {
  campaignOut,
  campaignParams,
  campaignPatch,
  etagOf,
  newCampaign,
  showCampaign,
} from './campaign-schemas.ts';
import { campaignStates } from './campaign-state.ts';
import { deleteDraft, insertCampaign, listCampaigns, updateCampaign } from './campaign-store.ts';
import { assertAllowed, explainRefusal, getCampaign } from './known-campaign.ts';
import { findMessageErrors } from './message-source.ts';
import { checkReadiness } from './readiness.ts';

export interface CampaignRoutesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly runTemplateJob: RunTemplateJob;
}

export function campaignRoutes(options: CampaignRoutesOptions): Route[] {
  const { db } = options;
  return [createRoute(options), listRoute(db), getRoute(db), patchRoute(options), deleteRoute(db)];
}

const tag = 'Campaigns';
const etagHeader = { ETag: 'For If-Match' };

function createRoute({ db, clock }: CampaignRoutesOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/campaigns', operationId: 'createCampaign', tag },
    summary: 'Create a campaign',
    description:
      'As a draft, which may lack anything but a name until it is scheduled. What it names has to exist.',
    access: 'campaigns:write',
    idempotent: true,
    body: newCampaign,
    responses: {
      201: { description: 'The draft', schema: campaignOut, headers: { ...etagHeader, Location: 'It' } },
    },
    async handle({ tenantId, body }) {
      const content = toContent(body);
      await assertDraftable(db, tenantId, content);
      const id = await insertCampaign(db, tenantId, { content, nowMs: clock.now() });
      const campaign = await getCampaign(db, { tenantId, id });
      const shown = showCampaign(campaign);
      return json(201, shown, { Location: `/v1/campaigns/${shown.id}`, ...etagOf(campaign) });
    },
  });
}

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/campaigns', operationId: 'listCampaigns', tag },
    summary: 'List campaigns, newest first',
    access: 'campaigns:read',
    query: pageQuery.extend({ state: z.enum(campaignStates).optional() }),
    responses: { 200: { description: 'One page', schema: pageOf(campaignOut) } },
    async handle({ tenantId, query: { cursor, page_size: size, state } }) {
      const [before] = decodeCursor(cursor, z.int()) ?? [Number.MAX_SAFE_INTEGER];
      const rows = await listCampaigns(db, { tenantId, state, before, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showCampaign, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/campaigns/{campaign_id}', operationId: 'getCampaign', tag },
    summary: 'Get a campaign',
    access: 'campaigns:read',
    params: campaignParams,
    responses: { 200: { description: 'The campaign', schema: campaignOut, headers: etagHeader } },
    async handle({ tenantId, params }) {
      const campaign = await getCampaign(db, { tenantId, id: params.campaign_id });
      return json(200, showCampaign(campaign), etagOf(campaign));
    },
  });
}

function patchRoute(options: CampaignRoutesOptions): Route {
  const { db } = options;
  return defineRoute({
    ...{ method: 'patch', path: '/v1/campaigns/{campaign_id}', operationId: 'updateCampaign', tag },
    summary: 'Change a draft or a scheduled campaign',
    description:
      'Each field that is given replaces the one that is there, `audience` and `message` as a whole. ' +
      'One that is scheduled has to stay complete.',
    access: 'campaigns:write',
    ifMatch: true,
    params: campaignParams,
    body: campaignPatch,
    problems: ['illegal_transition'],
    responses: { 200: { description: 'The changed campaign', schema: campaignOut, headers: etagHeader } },
    async handle({ tenantId, params, body, headers }) {
      const seen = await getCampaign(db, { tenantId, id: params.campaign_id });
      assertAllowed('edit', seen);
      assertIfMatch(headers, seen.version);
      const content = await checkEdited(options, seen, applyPatch(seen, body));
      await writeEdited(db, seen, content);
      const campaign = await getCampaign(db, seen);
      return json(200, showCampaign(campaign), etagOf(campaign));
    },
  });
}

function deleteRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'delete', path: '/v1/campaigns/{campaign_id}', operationId: 'deleteCampaign', tag },
    summary: 'Delete a draft',
    access: 'campaigns:write',
    params: campaignParams,
    problems: ['illegal_transition'],
    responses: { 204: { description: 'Deleted' } },
    async handle({ tenantId, params }) {
      const key = { tenantId, id: params.campaign_id };
      if (!(await deleteDraft(db, key))) throw await explainRefusal(db, key, 'delete');
      return json(204);
    },
  });
}

/** A draft may lack things, but not name what is not there. */
async function assertDraftable(db: Database, tenantId: TenantId, content: CampaignContent): Promise<void> {
  const { errors } = await resolveReferences(db, tenantId, content);
  const all = [...errors, ...findMessageErrors(content.message)];
  if (all.length > 0) throw new AppError('invalid_request', { errors: all });
}

/** What is to be stored: of a scheduled campaign only what can be sent, with the version of its template pinned. */
async function checkEdited(
  options: CampaignRoutesOptions,
  seen: Campaign,
  content: CampaignContent,
): Promise<CampaignContent> {
  if (seen.state !== 'scheduled') {
    await assertDraftable(options.db, seen.tenantId, content);
    return content;
  }
  const readiness = await checkReadiness(options, seen, content);
  if (readiness.kind === 'unready') throw new AppError('invalid_request', { errors: readiness.errors });
  return { ...content, templateVersion: readiness.templateVersion };
}

/** What it names is held: of a scheduled campaign none of it can be deleted between the check and the commit. */
async function writeEdited(db: Database, seen: Campaign, content: CampaignContent): Promise<void> {
  const { isWritten, errors } = await db.transaction(async (tx) => {
    const errors = await holdReferences(tx, seen.tenantId, content);
    return { errors, isWritten: errors.length === 0 && (await updateCampaign(tx, seen, content)) };
  });
  if (errors.length > 0) throw new AppError('invalid_request', { errors });
  if (!isWritten) throw await explainLostEdit(db, seen);
}

/** Between the read and the write somebody else edited it, or its time came. */
async function explainLostEdit(db: Database, seen: Campaign): Promise<AppError> {
  assertAllowed('edit', await getCampaign(db, seen));
  return new AppError('precondition_failed', { detail: 'It was changed at the same moment' });
}
