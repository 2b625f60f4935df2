/** Tenants as an operator makes them, each with a key, a list of people, a template and the way out that all share. */
import { sleep } from 'k6';
import { benchHtml } from '../../bench/bench-message.ts';
import { csvOf } from '../population/people.ts';
import { type Caller, get, type Json, post, remove, upload } from './api.ts';
import { adminToken, smtp } from './settings.ts';

/** Plain data: what `setup` answers goes to every virtual user as JSON. */
export interface LoadTenant {
  /** 1 is the largest. */
  readonly rank: number;
  readonly token: string;
  readonly listId: string;
  readonly templateId: string;
  readonly transportId: string;
  readonly recipients: number;
}

/** What `setup` answers. */
export interface Prepared {
  /** The largest first. */
  readonly tenants: readonly LoadTenant[];
  readonly transportId: string;
}

const admin: Caller = { token: adminToken, kind: 'setup' };
/** Half of the messages that people get are larger than this (33 KB is the median of published templates); here it loads the sink more than Sluice. */
const messageKilobytes = 10;
const pollSeconds = 0.1;
const importTimeoutMs = 600_000;

/** In provider mode, so that the domains of the lists matter. */
export function createTransport(): string {
  const { id } = post(
    admin,
    { route: '/v1/platform/transports' },
    {
      name: 'k6: sink',
      settings: { host: smtp.host, port: smtp.port, tls: 'none' },
      limits: { max_connections: 20, messages_per_connection: 1000 },
      destination_mode: 'provider',
    },
  );
  const verified = post(admin, { route: '/v1/platform/transports/{id}/verify', ids: [id] });
  if (!verified.ok) throw new Error(`the sink can't be used: ${JSON.stringify(verified.failure)}`);
  return id;
}

/** Tenants can't be deleted; their mail must not wait for a sink that is gone. */
export function removeTransport(id: string): void {
  remove(admin, { route: '/v1/platform/transports/{id}', ids: [id] });
}

/** Largest first; with all people imported. */
export function createTenants(sizes: readonly number[], transportId: string): LoadTenant[] {
  const made = sizes.map((recipients, i) => ({ ...createTenant(i + 1, transportId), recipients }));
  const imports = made.map((tenant) => ({ tenant, importId: startImport(tenant) }));
  for (const { tenant, importId } of imports) awaitImport(caller(tenant, 'setup'), importId);
  return made;
}

/** So many tenants, all of one size. */
export function prepareAlike(tenants: number, recipients: number): Prepared {
  const transportId = createTransport();
  return { tenants: createTenants(Array(tenants).fill(recipients), transportId), transportId };
}

export function caller({ token }: Pick<LoadTenant, 'token'>, kind: Caller['kind']): Caller {
  return { token, kind };
}

export function createTenant(rank: number, transportId: string): LoadTenant {
  const { id } = post(admin, { route: '/v1/tenants' }, { name: `k6: number ${rank}` });
  const key = { name: 'k6', scopes: ['*'] };
  const { secret: token } = post(admin, { route: '/v1/tenants/{id}/api-keys', ids: [id] }, key);
  const own: Caller = { token, kind: 'setup' };
  const list = post(own, { route: '/v1/lists' }, { name: 'Newsletter' });
  const template = post(
    own,
    { route: '/v1/templates' },
    {
      name: 'Black Friday',
      subject: '{{ profile.first_name }}, today only',
      html: benchHtml(messageKilobytes),
    },
  );
  return { rank, token, listId: list.id, templateId: template.id, transportId, recipients: 0 };
}

function startImport({ token, listId, recipients }: LoadTenant): string {
  const target = { route: '/v1/imports', query: `format=csv&list_id=${listId}` };
  return upload({ token, kind: 'upload' }, target, csvOf(recipients)).id;
}

/** Answers the import, done. */
export function awaitImport(by: Caller, importId: string): Json {
  const until = Date.now() + importTimeoutMs;
  while (Date.now() < until) {
    const imported = get(by, { route: '/v1/imports/{id}', ids: [importId] });
    if (imported.state === 'done') return imported;
    if (imported.state === 'failed') throw new Error(`the import failed: ${imported.failure}`);
    sleep(pollSeconds);
  }
  throw new Error(`the import was not done within ${importTimeoutMs / 1_000} s`);
}
