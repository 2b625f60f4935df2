/**
 * What a campaign's own settings say about its sending: whose suppressions hold, and how fast it may go. An audience can't change once its
 * campaign runs, rates can: so the terms are read anew each second.
 */
import { LRUCache } from 'lru-cache';
import type { Grant } from '../ledger/grant.ts';
import type { Bucket } from '../pacing/rate-gate.ts';
import type { Sql } from '../platform/mysql.ts';

export interface CampaignTerms {
  readonly includedLists: readonly number[];
  /** "No faster than": the campaign's rate and its tenant's, where they have one. */
  readonly buckets: readonly Bucket[];
  /** The domain of its From address. */
  readonly sendingDomain: string | null;
}

export interface CampaignTermsSource {
  of(grant: Grant): Promise<CampaignTerms>;
}

/** A changed rate holds within 2 s of the answer; the rest of that is for what is ready already. */
const readAgainAfterMs = 1_000;

interface Row {
  readonly audience: string;
  readonly per_minute: number | null;
  readonly per_second: number | null;
  readonly sending_domain: string | null;
}

export function createCampaignTerms(sql: Sql): CampaignTermsSource {
  const cache = new LRUCache<string, CampaignTerms>({ max: 1_000, ttl: readAgainAfterMs });

  return {
    async of(grant) {
      const key = `${grant.tenantId}-${grant.campaignId}`;
      const known = cache.get(key);
      if (known) return known;
      const terms = toTerms(grant, await readRow(sql, grant));
      cache.set(key, terms);
      return terms;
    },
  };
}

function readRow(sql: Sql, { tenantId, campaignId }: Grant): Promise<Row | undefined> {
  return sql.first<Row>(
    `SELECT c.audience, c.per_minute, t.per_second, c.sending_domain
     FROM campaigns c LEFT JOIN tenants t ON t.id = c.tenant_id WHERE c.tenant_id = ? AND c.id = ?`,
    [tenantId, campaignId],
  );
}

function toTerms({ tenantId, campaignId }: Grant, row: Row | undefined): CampaignTerms {
  const buckets: Bucket[] = [];
  if (row?.per_minute) buckets.push({ name: `c:${campaignId}`, perSecond: row.per_minute / 60 });
  if (row?.per_second) buckets.push({ name: `n:${tenantId}`, perSecond: row.per_second });
  const { includedLists }: Pick<CampaignTerms, 'includedLists'> = row
    ? JSON.parse(row.audience)
    : { includedLists: [] };
  return { includedLists, buckets, sendingDomain: row?.sending_domain ?? null };
}
