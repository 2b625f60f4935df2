/** What people and programs look at while mail goes out. */
import { get } from '../installation/api.ts';
import { readProgress } from '../installation/campaigns.ts';
import { adminToken } from '../installation/settings.ts';
import { caller, type LoadTenant, type Prepared } from '../installation/tenants.ts';
import { liveWorkers, paceFindings, sendableMessages } from '../measure/metrics.ts';

/** A page of one's campaigns, and the newest one's progress. */
function lookAtDashboard(tenant: LoadTenant): void {
  const by = caller(tenant, 'read');
  const [newest] = get(by, { route: '/v1/campaigns', query: 'page_size=10' }).data;
  if (newest) readProgress(by, newest.id);
}

/** As an autoscaler and the largest tenant do: how many workers there are, what may go now, and why the campaign is no faster. */
function watchFleet(largest: LoadTenant): void {
  const admin = { token: adminToken, kind: 'judge' } as const;
  const { pools } = get(admin, { route: '/v1/platform/scaling' });
  for (const pool of ['render', 'send']) {
    liveWorkers.add(pools[pool].live_workers, { pool });
    sendableMessages.add(pools[pool].sendable_messages, { pool });
  }
  const by = caller(largest, 'judge');
  const [running] = get(by, { route: '/v1/campaigns', query: 'state=sending&page_size=1' }).data;
  if (!running) return;
  const { findings } = get(by, { route: '/v1/campaigns/{id}/pace', ids: [running.id] });
  for (const { rule } of findings) paceFindings.add(1, { rule });
}

/** Functions of scenarios: somebody looks at a dashboard; programs watch the fleet. */
export function look({ tenants }: Pick<Prepared, 'tenants'>): void {
  lookAtDashboard(tenants[Math.floor(Math.random() * tenants.length)] as LoadTenant);
}

export function watch({ tenants }: Pick<Prepared, 'tenants'>): void {
  watchFleet(tenants[0] as LoadTenant);
}
