/** For this folder's tests: a server with everything a campaign needs, and a tenant that has it. */
import { addressHash } from '../audience/address.ts';
import { formatId, newId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { runHere } from '../templates/template-jobs.ts';
import { templateRoutes } from '../templates/template-routes.ts';
import { startTestApi, type TestApi, type TestReply, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { transportRoutes } from '../transport-settings/transport-routes.ts';
import { hostPolicy } from '../transports/host-policy.ts';
import { actionRoutes } from './action-routes.ts';
import { campaignRoutes } from './campaign-routes.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { progressRoutes } from './progress-routes.ts';
import { createProgressWatch, type ProgressWatchOptions } from './progress-watch.ts';
import { testSendRoutes } from './test-send-routes.ts';
import { createTestSender } from './test-sender.ts';
import { createTestSigner } from './test-signer.ts';

export const html = '<p>Hi {{ profile.first_name }}</p><a href="{{ unsubscribe_url }}">stop</a>';
export const message = { from_email: 'shop@example.com', from_name: 'Shop' };

export interface CampaignApiOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly watch?: Partial<ProgressWatchOptions>;
}

export function startCampaignApi(options: CampaignApiOptions = {}): Promise<TestApi> {
  return startTestApi({
    ...(options.clock && { clock: options.clock }),
    ...(options.log && { log: options.log }),
    routes: ({ db, config, clock }) => {
      const keys = deriveKeys(config.SECRET_KEY);
      const policy = hostPolicy({ allowPrivate: true });
      const transports = { secretsKey: keys.secrets, hostPolicy: policy };
      const publicUrl = config.PUBLIC_URL;
      const sendTest = createTestSender({ ...transports, clock });
      const signTest = createTestSigner({ db, secretsKey: keys.secrets, clock });
      return [
        ...templateRoutes({ db, publicUrl, runTemplateJob: runHere }),
        ...transportRoutes({ db, ...transports }),
        ...campaignRoutes({ db, clock, runTemplateJob: runHere }),
        ...actionRoutes({ db, clock, runTemplateJob: runHere }),
        ...deliveryRoutes(db),
        ...progressRoutes(createProgressWatch({ db, clock, log: silentLog, ...options.watch })),
        ...testSendRoutes({
          ...{ db, clock, addressKey: keys.address, publicUrl, sendTest, signTest },
          runTemplateJob: runHere,
        }),
      ];
    },
  });
}

export interface Shop extends TestTenant {
  readonly listId: string;
  readonly templateId: string;
  readonly transportId: string;
  /** A list of new profiles, one per address. */
  createList(emails: readonly string[]): Promise<string>;
  suppress(email: string, scope?: string): Promise<void>;
  /** A complete draft; `changes` replace its fields. */
  createDraft(changes?: object): Promise<string>;
  /** The same, put into a state directly. */
  createIn(state: string): Promise<string>;
  act(campaignId: string, action: string, body?: object): Promise<TestReply>;
}

/** A tenant with a list of one, a template and a transport. */
export async function createShop(api: TestApi, smtpPort = 1): Promise<Shop> {
  const tenant = await api.createTenant();
  const { db } = api;
  const addressKey = deriveKeys(api.config.SECRET_KEY).address;
  const hashOf = (email: string) => addressHash(addressKey, tenant.tenantId, email);

  const createList = async (emails: readonly string[]) => {
    const id = newId('list');
    await db.write(
      'INSERT INTO lists (tenant_id, id, name, created_at, updated_at) VALUES (?, ?, ?, NOW(3), NOW(3))',
      [tenant.tenantId, id, 'List'],
    );
    if (emails.length === 0) return formatId('list', id);
    const rows = emails.map((email) => [tenant.tenantId, email, hashOf(email), '{}', new Date(), new Date()]);
    await db.write(
      'INSERT IGNORE INTO profiles (tenant_id, email, email_hash, attributes, created_at, updated_at) VALUES ?',
      [rows],
    );
    await db.write(
      `INSERT INTO list_members (tenant_id, list_id, profile_id, added_at)
       SELECT tenant_id, ?, id, NOW(3) FROM profiles WHERE tenant_id = ? AND email_hash IN (?)`,
      [id, tenant.tenantId, emails.map(hashOf)],
    );
    return formatId('list', id);
  };

  const listId = await createList(['ada@example.org']);
  const template = await tenant.post('/v1/templates', { name: 'T', subject: 'Hello', html });
  const settings = { host: '127.0.0.1', port: smtpPort, tls: 'none' };
  const transport = await tenant.post('/v1/transports', { name: 'Relay', settings });
  const [templateId, transportId]: [string, string] = [template.body.id, transport.body.id];

  const createDraft = async (changes: object = {}) => {
    const { body } = await tenant.post('/v1/campaigns', {
      ...{ name: 'Sale', audience: { included_lists: [listId] }, message },
      ...{ template_id: templateId, transport_id: transportId, ...changes },
    });
    return body.id as string;
  };

  return {
    ...tenant,
    ...{ listId, templateId, transportId, createList, createDraft },
    async suppress(email, scope = '*') {
      await db.write(
        `INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at) VALUES (?, ?, ?, 'unsubscribe', 'x', NOW(3))`,
        [tenant.tenantId, hashOf(email), scope],
      );
    },
    async createIn(state) {
      const id = await createDraft();
      await setState(api, id, state);
      return id;
    },
    act: (id, action, body) => tenant.post(`/v1/campaigns/${id}/${action}`, body),
  };
}

export async function setState(api: TestApi, campaignId: string, state: string): Promise<void> {
  await api.db.write('UPDATE campaigns SET state = ?, send_at = NOW(3) WHERE id = ?', [
    state,
    await rowIdOf(api, campaignId),
  ]);
}

export async function rowIdOf(api: TestApi, campaignId: string): Promise<number> {
  const rows = await api.db.rows<{ id: number }>('SELECT id FROM campaigns');
  const row = rows.find(({ id }) => formatId('campaign', id) === campaignId);
  if (!row) throw new Error(`no campaign ${campaignId}`);
  return row.id;
}
