/**
 * Campaigns' messages, compiled: read and compiled once per process and campaign, and again when the transport was changed, whose settings name the return
 * path. What else a campaign sends can't change once it runs.
 */
import { LRUCache } from 'lru-cache';
import { onlyListOf } from '../../audience/suppression-scopes.ts';
import { toMessageSource } from '../../campaigns/message-source.ts';
import { type CampaignId, formatId, type ListId, type TenantId } from '../../ids.ts';
import type { Clock } from '../../platform/clock.ts';
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
/** A transport's new settings hold within two seconds. */
const lookAgainMs = 1_000;
const nothing: Prepared = { digest: '0'.repeat(64), segments: Buffer.alloc(0) };

interface Compiled {
  readonly prepared: PreparedMessage;
  readonly transportVersion: number;
}

interface Entry {
  readonly compiled: Promise<Compiled>;
  /** Monotonic ms. */
  readonly lookedAt: number;
}

export function createCampaignMessages(sql: Sql, clock: Clock): CampaignMessages {
  const cache = new LRUCache<string, Entry>({ max: cachedCampaigns });

  function look(key: string, compiled: Promise<Compiled>): Promise<Compiled> {
    const entry = { compiled, lookedAt: clock.monotonic() };
    cache.set(key, entry);
    // A database that was away must not stay in the cache as the answer.
    compiled.catch(() => cache.get(key) === entry && cache.delete(key));
    return compiled;
  }

  return {
    async prepare(tenantId, campaignId) {
      const key = `${tenantId}-${campaignId}`;
      const known = cache.get(key);
      const isFresh = known && clock.monotonic() - known.lookedAt < lookAgainMs;
      const compiled = isFresh
        ? known.compiled
        : look(key, compileIfChanged(sql, { tenantId, campaignId }, known?.compiled));
      return (await compiled).prepared;
    },
  };
}

interface CampaignName {
  readonly tenantId: TenantId;
  readonly campaignId: CampaignId;
}

async function compileIfChanged(
  sql: Sql,
  name: CampaignName,
  earlier: Promise<Compiled> | undefined,
): Promise<Compiled> {
  const known = await earlier?.catch(() => undefined);
  if (known && known.transportVersion === (await readTransportVersion(sql, name))) return known;
  return readAndCompile(sql, name);
}

type Row = {
  transport_version: number;
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

async function readAndCompile(sql: Sql, name: CampaignName): Promise<Compiled> {
  const row = await readSource(sql, name);
  if (!row) return { prepared: { ...nothing, kind: 'broken', reason: 'no_template' }, transportVersion: 0 };
  return { prepared: compile(row, name), transportVersion: row.transport_version };
}

function compile(row: Row, name: CampaignName): PreparedMessage {
  const compiled = compileMessage(toSource(row, name));
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
    campaign: { id: formatId('campaign', name.campaignId), name: row.name },
    unsubscribeList: onlyListOf(JSON.parse(row.audience)) ?? '*',
  };
}

function readSource(sql: Sql, { tenantId, campaignId }: CampaignName): Promise<Row | undefined> {
  return sql.first<Row>(
    `SELECT m.name, m.class, m.message, m.audience, t.settings, t.version AS transport_version, v.subject, v.preheader, v.html, v.text_part
     FROM campaigns m
     JOIN template_versions v ON v.tenant_id = m.tenant_id AND v.template_id = m.template_id AND v.version = m.template_version
     JOIN transports t ON t.id = m.transport_id
     WHERE m.tenant_id = ? AND m.id = ?`,
    [tenantId, campaignId],
  );
}

async function readTransportVersion(sql: Sql, { tenantId, campaignId }: CampaignName): Promise<number> {
  const row = await sql.first<{ version: number }>(
    `SELECT t.version FROM campaigns m JOIN transports t ON t.id = m.transport_id WHERE m.tenant_id = ? AND m.id = ?`,
    [tenantId, campaignId],
  );
  return row?.version ?? 0;
}

function toSource(row: Row, name: CampaignName): MessageSource {
  const { bounceDomain } = JSON.parse(row.settings) as { bounceDomain?: string };
  const template = {
    subject: row.subject ?? '',
    preheader: row.preheader ?? undefined,
    html: row.html,
    text: row.text_part ?? undefined,
  };
  return toMessageSource({ ...name, message: JSON.parse(row.message), template, bounceDomain });
}
