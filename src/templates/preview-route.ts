/** What a template looks like to one recipient: an existing profile, or a made-up one. Nothing is sent. */
import { findProfile } from '../audience/profile-store.ts';
import { AppError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import type { ProfileId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { findWarnings } from '../render/preview.ts';
import type { Recipient } from '../render/recipient.ts';
import type { TemplateSource } from '../render/source.ts';
import { formatUnsubscribeUrl } from '../render/tokens.ts';
import type { RunTemplateJob } from './template-jobs.ts';
import { previewBody, previewOut, templateParams } from './template-schemas.ts';
import { findTemplate, findVersion, type TemplateKey } from './template-store.ts';

export interface PreviewRouteOptions {
  readonly db: Database;
  readonly publicUrl: string;
  readonly runTemplateJob: RunTemplateJob;
}

export function previewRoute({ db, publicUrl, runTemplateJob }: PreviewRouteOptions): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/templates/{template_id}/preview', operationId: 'previewTemplate' },
    summary: 'Show a template as a recipient would get it',
    description:
      'The unsubscribe link in it leads nowhere. A profile for whom it fails to render is a 422 with the reason.',
    tag: 'Templates',
    access: 'templates:read',
    params: templateParams,
    body: previewBody,
    responses: { 200: { description: 'The rendered parts', schema: previewOut } },
    async handle({ tenantId, params, body }) {
      const source = await readSource(db, { tenantId, id: params.template_id }, body.version);
      const person = body.sample ?? (await readPerson(db, tenantId, body.profile_id as ProfileId));
      const recipient = toRecipient(person, publicUrl);
      const preview = await render(runTemplateJob, tenantId, { source, recipient });
      return json(200, { ...preview, warnings: warningsOf(source) });
    },
  });
}

type Person = Readonly<Record<string, unknown>>;

async function readSource(
  db: Database,
  key: TemplateKey,
  wanted: number | undefined,
): Promise<TemplateSource> {
  const template = await findTemplate(db, key);
  const version = template && (await findVersion(db, key, wanted ?? template.latestVersion));
  if (!version) throw new AppError('not_found', { detail: 'There is no such template or version' });
  const { subject, preheader, html, text } = version;
  return { subject, preheader: preheader ?? undefined, html, text: text ?? undefined };
}

async function readPerson(db: Database, tenantId: TenantId, id: ProfileId): Promise<Person> {
  const profile = await findProfile(db, tenantId, id);
  if (profile) return { ...profile.attributes, email: profile.email };
  throw new AppError('invalid_request', {
    errors: [{ pointer: '/profile_id', detail: 'There is no such profile' }],
  });
}

function toRecipient({ email, ...attributes }: Person, publicUrl: string): Recipient {
  return {
    seq: 0,
    email: typeof email === 'string' ? email : 'recipient@example.com',
    attributes,
    token: 'preview',
    unsubscribeUrl: formatUnsubscribeUrl(publicUrl, 'preview'),
  };
}

/** A stored version has been checked, but maybe by an older release with other limits. */
async function render(
  runTemplateJob: RunTemplateJob,
  tenantId: TenantId,
  { source, recipient }: { readonly source: TemplateSource; readonly recipient: Recipient },
) {
  const context = { campaign: { id: 'preview', name: 'Preview' }, now: new Date() };
  const order = { source: { ...source, ...nobody }, recipient, context };
  const result = await runTemplateJob(tenantId, 'preview', order);
  if (result.kind === 'invalid') {
    const errors = result.errors.map(({ field, detail }) => ({ pointer: `/${field}`, detail }));
    throw new AppError('invalid_template', { errors });
  }
  if (result.kind === 'skipped') {
    throw new AppError('invalid_template', {
      detail: `It does not render for this recipient: ${result.reason}`,
      errors: [{ pointer: '', detail: result.detail }],
    });
  }
  const { subject, preheader, html, text } = result;
  return { subject, preheader, html, text };
}

/** A preview shows no sender; compiling needs one. */
const nobody = {
  from: { email: 'preview@example.com' },
  sendingDomain: 'example.com',
  bounceDomain: 'example.com',
  listId: 'preview',
  feedbackId: { campaign: 'preview', tenant: 'preview', stream: 'preview', sender: 'sluice' },
};

function warningsOf(source: TemplateSource) {
  return findWarnings(source).map(({ code, field, detail }) => ({
    code,
    pointer: `/${field}`,
    detail,
  }));
}
