/** Campaigns to the spans of the requests that scheduled them. They can't change once a campaign runs, so they are remembered. */

import { LRUCache } from 'lru-cache';
import type { CampaignKey } from '../ledger/campaign-key.ts';
import type { Sql } from '../platform/mysql.ts';
import { batchesOf } from './key-batches.ts';

export interface CampaignTraces {
  /** Answers a look-up of all of them: a traceparent, or undefined where the request was not traced. */
  of(campaigns: readonly CampaignKey[]): Promise<(campaign: CampaignKey) => string | undefined>;
}

type Row = { tenant_id: number; id: number; traceparent: string | null };

const rememberedCampaigns = 5_000;
const campaignsPerQuery = 100;

export function createCampaignTraces(sql: Sql): CampaignTraces {
  const remembered = new LRUCache<string, { readonly traceparent: string | null }>({
    max: rememberedCampaigns,
  });

  async function read(campaigns: readonly CampaignKey[]): Promise<void> {
    const rows = await sql.rows<Row>(
      `SELECT tenant_id, id, traceparent FROM campaigns WHERE ${campaigns.map(() => '(tenant_id = ? AND id = ?)').join(' OR ')}`,
      campaigns.flatMap(({ tenantId, campaignId }) => [tenantId, campaignId]),
    );
    for (const { tenant_id, id, traceparent } of rows) remembered.set(keyOf(tenant_id, id), { traceparent });
  }

  return {
    async of(campaigns) {
      const byKey = new Map(campaigns.map((one) => [keyOf(one.tenantId, one.campaignId), one]));
      const missing = [...byKey].filter(([key]) => !remembered.has(key)).map(([, one]) => one);
      for (const some of batchesOf(missing, campaignsPerQuery)) await read(some);
      return ({ tenantId, campaignId }) =>
        remembered.get(keyOf(tenantId, campaignId))?.traceparent ?? undefined;
    },
  };
}

function keyOf(tenantId: number, campaignId: number): string {
  return `${tenantId}-${campaignId}`;
}
