/** Every part of the API that a campaign needs, once, with readers beside it. Seconds. */
import { check } from 'k6';
import type { Options } from 'k6/options';
import { get, type Json, post, refuse } from './installation/api.ts';
import { createCampaign, readProgress, schedule } from './installation/campaigns.ts';
import { adminToken, number } from './installation/settings.ts';
import {
  caller,
  createTenants,
  createTransport,
  type LoadTenant,
  removeTransport,
} from './installation/tenants.ts';
import { judge } from './measure/judge.ts';
import { apiThresholds, outcomeThresholds, summaryTrendStats, within } from './measure/thresholds.ts';

export { handleSummary } from './measure/summary.ts';

const recipients = number('LOAD_MESSAGES', 200);
const seconds = number('LOAD_SECONDS', 4);

export const options: Options = {
  scenarios: {
    marketer: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'sendOne' },
    readers: { executor: 'constant-arrival-rate', ...pace(), preAllocatedVUs: 5, exec: 'readAround' },
  },
  thresholds: {
    ...apiThresholds,
    ...outcomeThresholds,
    campaigns_sent: ['count==1'],
    checks: ['rate==1'],
    time_to_first_attempt: [within('max', 10_000)],
  },
  summaryTrendStats,
};

function pace() {
  return { rate: 10, timeUnit: '1s', duration: `${seconds}s` };
}

interface Prepared {
  readonly tenant: LoadTenant;
  readonly transportId: string;
}

export function setup(): Prepared {
  const transportId = createTransport();
  const [tenant] = createTenants([recipients], transportId);
  return { tenant: tenant as LoadTenant, transportId };
}

export function sendOne({ tenant }: Prepared): void {
  const by = caller(tenant, 'write');
  const preview = post(
    by,
    { route: '/v1/templates/{id}/preview', ids: [tenant.templateId] },
    {
      sample: { email: 'ada@example.com', first_name: 'Ada' },
    },
  );
  check(preview, { 'a preview is rendered': ({ subject }: Json) => subject === 'Ada, today only' });
  const people = { profiles: [{ email: 'ada@example.com' }, { email: 'nobody' }] };
  const saved = post(by, { route: '/v1/profiles/bulk' }, people);
  check(saved, { 'a wrong profile is refused alone': ({ rejected }: Json) => rejected === 1 });
  const id = createCampaign(by, tenant, 'smoke');
  const estimate = post(by, { route: '/v1/campaigns/{id}/estimate', ids: [id] });
  check(estimate, { 'all are estimated': (found: Json) => found.recipients === recipients });
  schedule(by, id, undefined);
  const pace = get(caller(tenant, 'read'), { route: '/v1/campaigns/{id}/pace', ids: [id] });
  check(pace, { 'its pace is explained': ({ findings }: Json) => Array.isArray(findings) });
}

export function readAround({ tenant }: Prepared): void {
  const by = caller(tenant, 'read');
  const [campaign] = get(by, { route: '/v1/campaigns', query: 'page_size=10' }).data;
  if (campaign) readProgress(by, campaign.id);
  get(by, { route: '/v1/lanes' });
  get({ token: adminToken, kind: 'read' }, { route: '/v1/platform/destinations' });
  const problem = refuse('nobody', { route: '/v1/campaigns' }, 401);
  check(problem, { 'a problem has a document': ({ status }: Json) => status === 401 });
}

export function teardown({ tenant, transportId }: Prepared): void {
  judge([tenant]);
  removeTransport(transportId);
}
