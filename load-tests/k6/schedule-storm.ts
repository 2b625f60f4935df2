/**
 * All campaigns of the hour are set for the same full minute, the largest among them, and at that minute everybody looks at the dashboard. One in four is scheduled in the
 * last seconds.
 */
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
import { apiThresholds, byTag, outcomeThresholds, summaryTrendStats, within } from './measure/thresholds.ts';
import { look } from './population/dashboard.ts';
import { zipfSizes } from './population/zipf.ts';

export { handleSummary } from './measure/summary.ts';

const tenants = number('LOAD_TENANTS', 40);
const messages = number('LOAD_MESSAGES', 20_000);
const leastLeadMs = 15_000;
const lateLeadMs = 2_000;
const lookSeconds = 20;
const minuteMs = 60_000;

export const options: Options = {
  ...{ setupTimeout: '20m', teardownTimeout: '20m' },
  scenarios: {
    marketers: {
      executor: 'shared-iterations',
      ...{ vus: Math.min(tenants, 20), iterations: tenants, maxDuration: '5m', exec: 'scheduleOne' },
    },
    readers: {
      executor: 'per-vu-iterations',
      ...{ vus: 10, iterations: 1, maxDuration: '5m', exec: 'lookFromDue' },
    },
  },
  thresholds: {
    ...apiThresholds,
    ...outcomeThresholds,
    ...byTag('time_to_first_attempt', 'group', groups),
    ...byTag('drain_time', 'group', groups),
    start_lag: [within('p(95)', 5_000)],
    fairness_small_over_large: ['value<3'],
    fairness_jain: ['value>0.6'],
  },
  summaryTrendStats,
};

interface StormPrepared extends Prepared {
  readonly dueAtMs: number;
}

export function setup(): StormPrepared {
  const transportId = createTransport();
  const made = createTenants(zipfSizes(tenants, messages), transportId);
  const dueAtMs = Math.ceil((Date.now() + leastLeadMs) / minuteMs) * minuteMs;
  return { tenants: made, transportId, dueAtMs };
}

export function scheduleOne({ tenants: all, dueAtMs }: StormPrepared): void {
  const i = exec.scenario.iterationInTest;
  if (i % 4 === 3) sleep(Math.max(0, dueAtMs - lateLeadMs - Date.now()) / 1_000);
  sendCampaign(all[i] as LoadTenant, { phase: 'storm', dueAtMs });
}

export function lookFromDue({ tenants: all, dueAtMs }: StormPrepared): void {
  sleep(Math.max(0, dueAtMs - Date.now()) / 1_000);
  const until = Date.now() + lookSeconds * 1_000;
  while (Date.now() < until) {
    look({ tenants: all });
    sleep(0.5);
  }
}

export function teardown({ tenants: all, transportId }: StormPrepared): void {
  judge(all);
  removeTransport(transportId);
}
