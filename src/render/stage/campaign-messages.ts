/**
 * Campaigns' messages, compiled: read and compiled once per process and campaign. What a campaign sends can't change
 * once it runs, so nothing here goes stale.
 */

import { LRUCache } from 'lru-cache';
import { onlyListOf } from '../../audience/suppression-scopes.ts';
import { toMessageSource } from '../../campaigns/message-source.ts';
import { type CampaignId, formatId, type ListId, type TenantId } from '../../ids.ts';
import type { Sql } from '../../platform/mysql.ts';
import { type CompiledTemplate, compileMessage } from '../compile.ts';
import { encodeSegments } from '../payload.ts';
import type { MessageSource } from '../source.ts';

interface Prepared {
  readonly digest: string;
  /** Encoded, as the belt carries them. */
  readonly segments: Buffer;
}

export type PreparedMessage =
  | (Prepared & {
      readonly kind: 'ready';
      readonly template: CompiledTemplate;
      readonly campaign: { readonly id: string; readonly name: string };
      /** What the unsubscribe link ends: the one list the campaign went to, or everything. */
      readonly unsubscribeList: ListId | '*';
    })
  /** It can't be compiled (any more): every recipient is skipped with this reason. */
  | (Prepared & { readonly kind: 'broken'; readonly reason: string });

export interface CampaignMessages {
  prepare(tenantId: TenantId, campaignId: CampaignId): Promise<PreparedMessage>;
}

const cachedCampaigns = 200;
const nothing: Prepared = { digest: '0'.repeat(64), segments: Buffer.alloc(0) };

export function createCampaignMessages(sql: Sql): CampaignMessages {
  const cache = new LRUCache<string, Promise<PreparedMessage>>({ max: cachedCampaigns });

  return {
    prepare(tenantId, campaignId) {
      const key = `${tenantId}-${campaignId}`;
      const known = cache.get(key);
      if (known) return known;
      const preparing = readAndCompile(sql, tenantId, campaignId);
      cache.set(key, preparing);
      // A database that was away must not stay in the cache as the answer.
      preparing.catch(() => cache.delete(key));
      return preparing;
    },
  };
}

type Row = {
  name: string;
  class: number;
  message: string;
  audience: string;
  settings: string;
  subject: string | null;
  preheader: string | null;
  html: string;
  text_part: string | null;
};

async function readAndCompile(
  sql: Sql,
  tenantId: TenantId,
  campaignId: CampaignId,
): Promise<PreparedMessage> {
  const row = await readSource(sql, tenantId, campaignId);
  if (!row) return { ...nothing, kind: 'broken', reason: 'no_template' };
  const compiled = compileMessage(toSource(row, tenantId, campaignId));
  if (compiled.kind === 'invalid') {
    const [first] = compiled.errors;
    return {
      ...nothing,
      kind: 'broken',
      reason: `invalid_template: ${first?.field} ${first?.detail}`.slice(0, 240),
    };
  }
  const { message } = compiled.message;
  return {
    kind: 'ready',
    digest: message.digest,
    segments: encodeSegments(message),
    template: compiled.message,
    campaign: { id: formatId('campaign', campaignId), name: row.name },
    unsubscribeList: onlyListOf(JSON.parse(row.audience)) ?? '*',
  };
}

function readSource(sql: Sql, tenantId: TenantId, campaignId: CampaignId): Promise<Row | undefined> {
  return sql.first<Row>(
    `SELECT m.name, m.class, m.message, m.audience, t.settings, v.subject, v.preheader, v.html, v.text_part
     FROM campaigns m
     JOIN template_versions v ON v.tenant_id = m.tenant_id AND v.template_id = m.template_id AND v.version = m.template_version
     JOIN transports t ON t.id = m.transport_id
     WHERE m.tenant_id = ? AND m.id = ?`,
    [tenantId, campaignId],
  );
}

function toSource(row: Row, tenantId: TenantId, campaignId: CampaignId): MessageSource {
  const { bounceDomain } = JSON.parse(row.settings) as { bounceDomain?: string };
  const template = {
    subject: row.subject ?? '',
    preheader: row.preheader ?? undefined,
    html: row.html,
    text: row.text_part ?? undefined,
  };
  return toMessageSource({ tenantId, campaignId, message: JSON.parse(row.message), template, bounceDomain });
}
