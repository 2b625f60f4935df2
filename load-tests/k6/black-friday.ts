/** The Black-Friday day in minutes: Zipf tenants, the domains of real lists, the published hours, clusters at :00 and :30, the largest campaign at the peak. */
import { sleep } from 'k6';
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { sendCampaign } from './installation/campaigns.ts';
import { number } from './installation/settings.ts';
import {
  createTenants,
  createTransport,
  type LoadTenant,
  type Prepared,
  removeTransport,
} from './installation/tenants.ts';
import { groups, judge } from './measure/judge.ts';
import {
  apiThresholds,
  byTag,
  fleetFigures,
  outcomeThresholds,
  summaryTrendStats,
  within,
} from './measure/thresholds.ts';
import { planDay, readerStages } from './population/day.ts';

export { handleSummary } from './measure/summary.ts';
export { look, watch } from './population/dashboard.ts';

const minutes = number('LOAD_MINUTES', 5);
const plan = planDay({
  tenants: number('LOAD_TENANTS', 60),
  messages: number('LOAD_MESSAGES', 60_000),
  minutes,
});
/** Campaigns are scheduled so long before they are due: two compressed hours. */
const leadMs = (minutes * 60_000) / 12;
const readersPerSecond = 5;

export const options: Options = {
  ...{ setupTimeout: '60m', teardownTimeout: '60m' },
  scenarios: {
    marketers: {
      executor: 'shared-iterations',
      ...{ vus: 20, iterations: plan.campaigns.length, maxDuration: `${minutes + 5}m`, exec: 'scheduleOne' },
    },
    readers: {
      executor: 'ramping-arrival-rate',
      ...{ startRate: readersPerSecond, timeUnit: '1s', stages: readerStages(minutes, readersPerSecond) },
      ...{ preAllocatedVUs: 10, maxVUs: 50, exec: 'look' },
    },
    autoscaler: {
      executor: 'constant-arrival-rate',
      ...{ rate: 1, timeUnit: '2s', duration: `${minutes * 60}s`, preAllocatedVUs: 2, exec: 'watch' },
    },
  },
  thresholds: {
    ...apiThresholds,
    ...outcomeThresholds,
    ...byTag('time_to_first_attempt', 'group', groups),
    ...byTag('time_to_first_attempt', 'phase', ['peak', 'day']),
    ...byTag('drain_time', 'group', groups),
    ...fleetFigures,
    'time_to_first_attempt{group:small}': [within('p(95)', 10_000)],
    start_lag: [within('p(95)', 5_000)],
    fairness_small_over_large: ['value<3'],
    fairness_jain: ['value>0.6'],
  },
  summaryTrendStats,
};

interface DayPrepared extends Prepared {
  readonly beganAtMs: number;
}

export function setup(): DayPrepared {
  const transportId = createTransport();
  const tenants = createTenants(plan.listSizes, transportId);
  return { tenants, transportId, beganAtMs: Date.now() };
}

export function scheduleOne({ tenants, beganAtMs }: DayPrepared): void {
  const campaign = plan.campaigns[exec.scenario.iterationInTest];
  if (!campaign) return;
  const dueAtMs = beganAtMs + campaign.dueMs;
  sleep(Math.max(0, dueAtMs - leadMs - Date.now()) / 1_000);
  sendCampaign(tenants[campaign.tenant] as LoadTenant, { phase: campaign.phase, dueAtMs });
}

export function teardown({ tenants, transportId }: DayPrepared): void {
  judge(tenants);
  removeTransport(transportId);
}
