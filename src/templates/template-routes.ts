/** `/v1/templates`: write, check and read templates. Previews are in `preview-route.ts`. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf, pageQuery } from '../http/schemas.ts';
import { formatId, type TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import type { TemplateWarning, WrittenTemplate } from './compile-template.ts';
import { previewRoute } from './preview-route.ts';
import type { RunTemplateJob } from './template-jobs.ts';
import {
  newTemplate,
  showSummary,
  showTemplate,
  templateOut,
  templateParams,
  templateSource,
  templateSummaryOut,
  validationOut,
  versionOut,
  writtenTemplateOut,
} from './template-schemas.ts';
import {
  addVersion,
  findTemplate,
  findVersion,
  insertTemplate,
  listTemplates,
  listVersions,
  type TemplateContent,
  type TemplateKey,
} from './template-store.ts';

export interface TemplateRoutesOptions {
  readonly db: Database;
  /** Where unsubscribe links of previews seem to lead. */
  readonly publicUrl: string;
  readonly runTemplateJob: RunTemplateJob;
}

export function templateRoutes(options: TemplateRoutesOptions): Route[] {
  const { db } = options;
  return [
    createRoute(options),
    listRoute(db),
    validateRoute(options),
    getRoute(db),
    addVersionRoute(options),
    listVersionsRoute(db),
    previewRoute(options),
  ];
}

const tag = 'Templates';
const created = (what: string) => ({
  201: { description: what, schema: writtenTemplateOut, headers: { Location: 'The template' } },
});

function createRoute({ db, runTemplateJob }: TemplateRoutesOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/templates', operationId: 'createTemplate', tag },
    summary: 'Create a template',
    description:
      'It is compiled and checked. An invalid one is a 422 `invalid_template` that names each place.',
    access: 'templates:write',
    idempotent: true,
    body: newTemplate,
    responses: created('The template with its version 1'),
    async handle({ tenantId, body }) {
      const { content, warnings } = await toContent(runTemplateJob, tenantId, body);
      const id = await insertTemplate(db, tenantId, { name: body.name, content });
      return replyWritten(db, { tenantId, id }, 1, warnings);
    },
  });
}

function addVersionRoute({ db, runTemplateJob }: TemplateRoutesOptions): Route {
  return defineRoute({
    ...{
      method: 'post',
      path: '/v1/templates/{template_id}/versions',
      operationId: 'addTemplateVersion',
      tag,
    },
    summary: 'Write a new version',
    description:
      'Versions never change. Campaigns that are scheduled keep the version they were scheduled with.',
    access: 'templates:write',
    idempotent: true,
    params: templateParams,
    body: templateSource,
    responses: created('The template with the new version'),
    async handle({ tenantId, params, body }) {
      const key = { tenantId, id: params.template_id };
      const { content, warnings } = await toContent(runTemplateJob, tenantId, body);
      const version = await addVersion(db, key, content);
      if (version === undefined) throw noSuchTemplate();
      return replyWritten(db, key, version, warnings);
    },
  });
}

function validateRoute({ runTemplateJob }: TemplateRoutesOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/templates/validate', operationId: 'validateTemplate', tag },
    summary: 'Check a template without storing it',
    access: 'templates:write',
    body: templateSource,
    responses: { 200: { description: 'It is valid; its HTML', schema: validationOut } },
    async handle({ tenantId, body }) {
      const { content, warnings } = await toContent(runTemplateJob, tenantId, body);
      return json(200, { html: content.html, warnings });
    },
  });
}

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/templates', operationId: 'listTemplates', tag },
    summary: 'List templates, oldest first',
    access: 'templates:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(templateSummaryOut) } },
    async handle({ tenantId, query: { cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, z.int()) ?? [0];
      const rows = await listTemplates(db, tenantId, { afterId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showSummary, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/templates/{template_id}', operationId: 'getTemplate', tag },
    summary: 'Get a template with one version of it',
    access: 'templates:read',
    params: templateParams,
    query: z.strictObject({
      version: z.coerce.number().int().min(1).optional().meta({ description: 'The latest when not given' }),
    }),
    responses: { 200: { description: 'The template', schema: templateOut } },
    async handle({ tenantId, params, query }) {
      const key = { tenantId, id: params.template_id };
      return json(200, await readShown(db, key, query.version));
    },
  });
}

function listVersionsRoute(db: Database): Route {
  return defineRoute({
    ...{
      method: 'get',
      path: '/v1/templates/{template_id}/versions',
      operationId: 'listTemplateVersions',
      tag,
    },
    summary: 'List the versions of a template, newest first',
    access: 'templates:read',
    params: templateParams,
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(versionOut) } },
    async handle({ tenantId, params, query: { cursor, page_size: size } }) {
      const key = { tenantId, id: params.template_id };
      if (!(await findTemplate(db, key))) throw noSuchTemplate();
      const [before] = decodeCursor(cursor, z.int()) ?? [2 ** 31];
      const rows = await listVersions(db, key, { before, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showVersion, position: (row) => [row.version] }));
    },
  });
}

async function toContent(
  runTemplateJob: RunTemplateJob,
  tenantId: TenantId,
  written: WrittenTemplate,
): Promise<{ content: TemplateContent; warnings: readonly TemplateWarning[] }> {
  const result = await runTemplateJob(tenantId, 'compile', written);
  if (result.kind === 'invalid') throw new AppError('invalid_template', { errors: result.errors });
  const { subject, preheader = null, mjml = null, text = null } = written;
  return { content: { subject, preheader, mjml, html: result.html, text }, warnings: result.warnings };
}

async function replyWritten(
  db: Database,
  key: TemplateKey,
  version: number,
  warnings: readonly TemplateWarning[],
) {
  const shown = await readShown(db, key, version);
  return json(201, { ...shown, warnings }, { Location: `/v1/templates/${formatId('template', key.id)}` });
}

async function readShown(db: Database, key: TemplateKey, wanted: number | undefined) {
  const template = await findTemplate(db, key);
  const version = template && (await findVersion(db, key, wanted ?? template.latestVersion));
  if (!version) throw noSuchTemplate();
  return showTemplate(template, version);
}

function showVersion({ version, subject, createdAt }: { version: number; subject: string; createdAt: Date }) {
  return { version, subject, created_at: createdAt };
}

function noSuchTemplate(): AppError {
  return new AppError('not_found', { detail: 'There is no such template or version' });
}
