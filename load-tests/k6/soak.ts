/** The same load for a long time: does anything get slower? */
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { number } from './installation/settings.ts';
import { type Prepared, prepareAlike, removeTransport } from './installation/tenants.ts';
import { percentile } from './measure/fairness.ts';
import { type Judged, judge } from './measure/judge.ts';
import { drainDrift } from './measure/metrics.ts';
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

const tenants = number('LOAD_TENANTS', 20);
const perCampaign = number('LOAD_MESSAGES', 200);
/** Campaigns. */
const perSecond = number('LOAD_RATE', 0.5);
const seconds = Math.round(number('LOAD_MINUTES', 30) * 60);
const thirds = ['first', 'second', 'third'] as const;
/** A campaign that is done within it is no slower than another. */
const floorMs = 5_000;

export const options: Options = {
  ...{ setupTimeout: '20m', teardownTimeout: '60m' },
  scenarios: {
    marketers: { ...arrivals(perSecond, seconds), exec: 'send' },
    readers: { ...arrivals(3, seconds), exec: 'look' },
    autoscaler: { ...arrivals(0.2, seconds), exec: 'watch' },
  },
  thresholds: {
    ...apiThresholds,
    ...outcomeThresholds,
    ...byTag('time_to_first_attempt', 'phase', thirds),
    ...byTag('drain_time', 'phase', thirds),
    ...fleetFigures,
    dropped_iterations: ['count==0'],
    time_to_first_attempt: [within('p(95)', 5_000)],
    drain_drift: ['value<1.5'],
  },
  summaryTrendStats,
};

export function setup(): Prepared {
  return prepareAlike(tenants, perCampaign);
}

export function send({ tenants: all }: Prepared): void {
  const third = Math.min(2, Math.floor(exec.scenario.progress * 3));
  sendNow(all, thirds[third] as string);
}

export function teardown({ tenants: all, transportId }: Prepared): void {
  const judged = judge(all);
  const p95 = (third: string) => Math.max(floorMs, percentile(drainTimes(judged, third), 0.95));
  drainDrift.add(p95('third') / p95('first'));
  removeTransport(transportId);
}

function drainTimes(judged: readonly Judged[], third: string): number[] {
  return judged.filter(({ phase }) => phase === third).map(({ atMs, endMs }) => endMs - atMs);
}
