/** The published day's shape in minutes, with as many tenants as a laptop has. Pure. */
import { type Campaign, scheduleCampaigns } from '../../../src/testing/black-friday/campaigns.ts';
import { hourMs, hourShape } from '../../../src/testing/black-friday/published-day.ts';
import { seededRandom } from '../../../src/testing/smtp-sink/seeded-random.ts';
import { zipfSizes } from './zipf.ts';

export interface DayPlan {
  /** Recipients of each tenant's list, largest first. */
  readonly listSizes: readonly number[];
  /** In the order in which they are due. */
  readonly campaigns: readonly PlannedCampaign[];
}

export interface PlannedCampaign {
  /** Place in `listSizes`. */
  readonly tenant: number;
  /** Since the compressed day began. */
  readonly dueMs: number;
  readonly phase: 'peak' | 'day';
}

export interface DayOptions {
  readonly tenants: number;
  readonly messages: number;
  readonly minutes: number;
}

const dayMs = 24 * hourMs;
const peakHour = 9;

/** Hours and minutes by the rules of the simulated day: the hours' shape, clusters at :00 and :30, the largest campaign at the beginning of the peak hour. */
export function planDay({ tenants, messages, minutes }: DayOptions): DayPlan {
  const sizes = zipfSizes(tenants, messages);
  const ranked = sizes.map((size, i) => ({ rank: i + 1, messages: size }));
  const campaigns = scheduleCampaigns(ranked, seededRandom(2_026));
  const compress = (minutes * 60_000) / dayMs;
  return {
    listSizes: sizes.map((_, i) => largestOf(campaigns, i + 1)),
    campaigns: campaigns.map(({ tenantId, dueMs }) => ({
      tenant: tenantId - 1,
      dueMs: Math.round(dueMs * compress),
      phase: Math.floor(dueMs / hourMs) === peakHour ? 'peak' : 'day',
    })),
  };
}

/** The parts of a tenant's day differ by a message at most: all of them go to the whole list. */
function largestOf(campaigns: readonly Campaign[], tenantId: number): number {
  return Math.max(1, ...campaigns.filter((one) => one.tenantId === tenantId).map((one) => one.messages));
}

/** How many look at their dashboards, hour by hour: k6's stages. */
export function readerStages(minutes: number, meanPerSecond: number) {
  const duration = `${Math.round((minutes * 60_000) / 24)}ms`;
  return hourShape.map((part) => ({ duration, target: Math.max(1, Math.round(meanPerSecond * part)) }));
}
