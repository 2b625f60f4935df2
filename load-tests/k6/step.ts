/** A steady load, then ten or thirty times as much without notice, then the old load again: who waits, for how long, and when is all of it gone? */
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { number } from './installation/settings.ts';
import { type Prepared, prepareAlike, removeTransport } from './installation/tenants.ts';
import { judge } from './measure/judge.ts';
import {
  apiThresholds,
  byTag,
  fleetFigures,
  outcomeThresholds,
  summaryTrendStats,
  within,
} from './measure/thresholds.ts';
import { arrivals, sendNow } from './population/arrivals.ts';

export { handleSummary } from './measure/summary.ts';
export { look, watch } from './population/dashboard.ts';

const factor = number('LOAD_FACTOR', 10);
const tenants = number('LOAD_TENANTS', 20);
const perCampaign = number('LOAD_MESSAGES', 100);
/** Campaigns. */
const perSecond = number('LOAD_RATE', 0.5);
/** Each of the three parts. */
const seconds = Math.round(number('LOAD_MINUTES', 0.5) * 60);
const phases = ['before', 'step', 'after'];

export const options: Options = {
  ...{ setupTimeout: '20m', teardownTimeout: '60m' },
  scenarios: {
    before: { ...arrivals(perSecond, seconds), exec: 'send' },
    step: { ...arrivals(perSecond * factor, seconds, seconds), exec: 'send' },
    after: { ...arrivals(perSecond, seconds, 2 * seconds), exec: 'send' },
    readers: { ...arrivals(3, 3 * seconds), exec: 'look' },
    autoscaler: { ...arrivals(0.5, 3 * seconds), exec: 'watch' },
  },
  thresholds: {
    ...apiThresholds,
    ...outcomeThresholds,
    ...byTag('time_to_first_attempt', 'phase', phases),
    ...byTag('drain_time', 'phase', phases),
    ...fleetFigures,
    dropped_iterations: ['count==0'],
    'time_to_first_attempt{phase:before}': [within('p(95)', 5_000)],
    'time_to_first_attempt{phase:after}': [within('p(95)', 30_000)],
  },
  summaryTrendStats,
};

export function setup(): Prepared {
  return prepareAlike(tenants, perCampaign);
}

export function send({ tenants: all }: Prepared): void {
  sendNow(all, exec.scenario.name);
}

export function teardown({ tenants: all, transportId }: Prepared): void {
  judge(all);
  removeTransport(transportId);
}
