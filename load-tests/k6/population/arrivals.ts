/** Campaigns that nobody has scheduled before: now, of a tenant by its weight. */
import { createWeightedPick } from '../../../scripts/demo-data/weighted.ts';
import { sendCampaign } from '../installation/campaigns.ts';
import type { LoadTenant } from '../installation/tenants.ts';
import { zipfSizes } from './zipf.ts';

const picks = new Map<number, ReturnType<typeof createWeightedPick>>();

export function sendNow(tenants: readonly LoadTenant[], phase: string): void {
  const pick = picks.get(tenants.length) ?? createWeightedPick(zipfSizes(tenants.length, 10_000));
  picks.set(tenants.length, pick);
  sendCampaign(tenants[pick(Math.random)] as LoadTenant, { phase });
}

/** A steady rate of them: k6's executor takes whole numbers of a minute. */
export function arrivals(perSecond: number, seconds: number, startSeconds = 0) {
  return {
    executor: 'constant-arrival-rate' as const,
    ...{ rate: Math.max(1, Math.round(perSecond * 60)), timeUnit: '1m' },
    ...{ startTime: `${startSeconds}s`, duration: `${seconds}s`, gracefulStop: '30s' },
    ...{ preAllocatedVUs: Math.min(50, Math.max(5, Math.ceil(perSecond * 2))), maxVUs: 200 },
  };
}
