/** When a run has failed. */
import type { Threshold } from 'k6/options';
import { campaignRules } from '../../../src/pace-view/finding.ts';
import { number } from '../installation/settings.ts';

export type Thresholds = Record<string, Threshold[]>;

/** On a machine that does other things, too, all takes longer. */
const slack = number('LOAD_SLACK', 1);

/** No more than so many ms. */
export function within(statistic: 'p(95)' | 'p(99)' | 'max', ms: number): string {
  return `${statistic}<${ms * slack}`;
}

/** What people wait for, in ms. Uploads and what prepares or reads a run have no limit. */
export const readThresholds: Thresholds = {
  'http_req_duration{kind:read}': [within('p(95)', 300), within('p(99)', 1_000)],
  'http_req_failed{kind:read}': ['rate<0.001'],
};

export const apiThresholds: Thresholds = {
  ...readThresholds,
  'http_req_duration{kind:write}': [within('p(95)', 500), within('p(99)', 1_500)],
  'http_req_failed{kind:write}': ['rate<0.001'],
};

/** Every campaign ends, and nobody is left in doubt. */
export const outcomeThresholds: Thresholds = {
  campaigns_unfinished: ['count==0'],
  messages_in_doubt: ['count==0'],
  'recipients{state:sent}': ['count>0'],
};

/** k6 keeps figures by tag only where there is a threshold. */
export function byTag(metric: string, tag: string, values: readonly string[]): Thresholds {
  return Object.fromEntries(values.map((value) => [`${metric}{${tag}:${value}}`, ['max>=0']]));
}

/** The same of what is counted. */
export function countedByTag(metric: string, tag: string, values: readonly string[]): Thresholds {
  return Object.fromEntries(values.map((value) => [`${metric}{${tag}:${value}}`, ['count>=0']]));
}

/** Where mail goes, and why it goes no faster. */
export const fleetFigures: Thresholds = {
  ...byTag('live_workers', 'pool', ['render', 'send']),
  ...byTag('sendable_messages', 'pool', ['render', 'send']),
  ...countedByTag('pace_findings', 'rule', campaignRules),
  ...countedByTag('recipients', 'state', ['bounced', 'suppressed', 'skipped', 'expired']),
};

export const summaryTrendStats = ['count', 'avg', 'med', 'p(95)', 'p(99)', 'max'];
