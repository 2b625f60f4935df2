/**
 * Which suppressions hold for a campaign: those for everything, and those for its list when it went to just one.
 * (Of two lists, someone may have left one and want the other.) Cached: an audience can't change once its campaign runs.
 */
import { LRUCache } from 'lru-cache';
import type { Grant } from '../ledger/grant.ts';
import type { Sql } from '../platform/mysql.ts';

export interface CampaignScopes {
  of(grant: Grant): Promise<readonly string[]>;
}

export function createCampaignScopes(sql: Sql): CampaignScopes {
  const cache = new LRUCache<string, readonly string[]>({ max: 1_000 });

  return {
    async of({ tenantId, campaignId }) {
      const key = `${tenantId}-${campaignId}`;
      const known = cache.get(key);
      if (known) return known;
      const row = await sql.first<{ audience: string }>(
        'SELECT audience FROM campaigns WHERE tenant_id = ? AND id = ?',
        [tenantId, campaignId],
      );
      const scopes = scopesOf(row ? JSON.parse(row.audience) : { includedLists: [] });
      cache.set(key, scopes);
      return scopes;
    },
  };
}

export function scopesOf(audience: { readonly includedLists: readonly number[] }): readonly string[] {
  const [only, ...others] = audience.includedLists;
  return only !== undefined && others.length === 0 ? ['*', `list:${only}`] : ['*'];
}
