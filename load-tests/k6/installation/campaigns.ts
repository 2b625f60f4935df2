/** What a marketer does with a campaign. */
import { type Caller, get, type Json, post } from './api.ts';
import { caller, type LoadTenant } from './tenants.ts';

export interface NewCampaign {
  /** The part of the run that it belongs to: its name, by which it is judged. */
  readonly phase: string;
  /** Undefined: now. */
  readonly dueAtMs?: number;
}

/** Two calls, both measured. Answers its id. */
export function sendCampaign(tenant: LoadTenant, { phase, dueAtMs }: NewCampaign): string {
  const by = caller(tenant, 'write');
  const id = createCampaign(by, tenant, phase);
  schedule(by, id, dueAtMs);
  return id;
}

export function createCampaign(by: Caller, tenant: LoadTenant, name: string): string {
  return post(
    by,
    { route: '/v1/campaigns' },
    {
      name,
      audience: { included_lists: [tenant.listId] },
      template_id: tenant.templateId,
      transport_id: tenant.transportId,
      message: { from_email: 'hello@shop.example.com', from_name: 'Shop' },
    },
  ).id;
}

export function schedule(by: Caller, id: string, dueAtMs: number | undefined): void {
  const sendAt = dueAtMs === undefined ? 'now' : new Date(dueAtMs).toISOString();
  post(by, { route: '/v1/campaigns/{id}/schedule', ids: [id] }, { send_at: sendAt });
}

export function readProgress(by: Caller, id: string): Json {
  return get(by, { route: '/v1/campaigns/{id}/progress', ids: [id] });
}

/** All of a tenant's, newest first. */
export function listCampaigns(by: Caller): Json[] {
  const all: Json[] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Json = get(by, { route: '/v1/campaigns', query: `page_size=200${after}` });
    all.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return all;
}
