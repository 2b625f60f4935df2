/** What a campaign refers to: does it exist, in this tenant, and what is it. */

import { holdLists } from '../audience/list-store.ts';
import type { FieldError } from '../errors.ts';
import type { ListId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import type { TemplateSource } from '../render/source.ts';
import { findTemplate, findVersion } from '../templates/template-store.ts';
import { holdTransport, readTransport, type StoredTransport } from '../transport-settings/transport-store.ts';
import type { CampaignAudience, CampaignContent } from './campaign.ts';

export interface ResolvedTemplate extends TemplateSource {
  readonly version: number;
}

/** Undefined where the campaign names none, or none that there is. */
export interface References {
  readonly template: ResolvedTemplate | undefined;
  readonly transport: StoredTransport | undefined;
  /** What is named and is not there. */
  readonly errors: readonly FieldError[];
}

export async function resolveReferences(
  sql: Sql,
  tenantId: TenantId,
  content: CampaignContent,
): Promise<References> {
  const [listErrors, template, transport] = await Promise.all([
    findUnknownLists(sql, tenantId, content),
    resolveTemplate(sql, tenantId, content),
    content.transportId === null ? undefined : readTransport(sql, tenantId, content.transportId),
  ]);
  const errors = [...listErrors];
  if (content.templateId !== null && !template) errors.push(unknownTemplate(content));
  if (content.templateId === null && content.templateVersion !== null)
    errors.push({ pointer: '/template_version', detail: 'is of no template' });
  if (content.transportId !== null && !transport) errors.push(unknownTransport);
  return { template, transport, errors };
}

/**
 * Keeps lists and transport from being deleted until the transaction ends, and answers what has been since they were resolved. A deletion looks
 * for scheduled campaigns only: in the transaction that schedules one, or changes one that is, this comes before it.
 */
export async function holdReferences(
  tx: Sql,
  tenantId: TenantId,
  { audience, transportId }: Pick<CampaignContent, 'audience' | 'transportId'>,
): Promise<readonly FieldError[]> {
  const lists = await holdLists(tx, tenantId, listsOf(audience));
  const isHeld = transportId === null || (await holdTransport(tx, tenantId, transportId));
  return [...unknownLists(audience, lists), ...(isHeld ? [] : [unknownTransport])];
}

async function findUnknownLists(
  sql: Sql,
  tenantId: TenantId,
  { audience }: CampaignContent,
): Promise<FieldError[]> {
  const ids = listsOf(audience);
  if (ids.length === 0) return [];
  const rows = await sql.rows<{ id: ListId }>('SELECT id FROM lists WHERE tenant_id = ? AND id IN (?)', [
    tenantId,
    ids,
  ]);
  return unknownLists(audience, new Set(rows.map((row) => row.id)));
}

function listsOf({ includedLists, excludedLists }: CampaignAudience): readonly ListId[] {
  return [...includedLists, ...excludedLists];
}

function unknownLists(
  { includedLists, excludedLists }: CampaignAudience,
  known: ReadonlySet<ListId>,
): FieldError[] {
  const missing = (name: string, lists: readonly ListId[]) =>
    lists.flatMap((id, i) =>
      known.has(id) ? [] : [{ pointer: `/audience/${name}/${i}`, detail: 'There is no such list' }],
    );
  return [...missing('included_lists', includedLists), ...missing('excluded_lists', excludedLists)];
}

async function resolveTemplate(
  sql: Sql,
  tenantId: TenantId,
  { templateId, templateVersion }: CampaignContent,
): Promise<ResolvedTemplate | undefined> {
  if (templateId === null) return undefined;
  const key = { tenantId, id: templateId };
  const wanted = templateVersion ?? (await findTemplate(sql, key))?.latestVersion;
  const found = wanted === undefined ? undefined : await findVersion(sql, key, wanted);
  if (!found) return undefined;
  const { version, subject, preheader, html, text } = found;
  return { version, subject, preheader: preheader ?? undefined, html, text: text ?? undefined };
}

const unknownTransport: FieldError = { pointer: '/transport_id', detail: 'There is no such transport' };

function unknownTemplate({ templateVersion }: CampaignContent): FieldError {
  return templateVersion === null
    ? { pointer: '/template_id', detail: 'There is no such template' }
    : { pointer: '/template_version', detail: 'There is no such template, or no such version of it' };
}
