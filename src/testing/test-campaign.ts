/** Puts a tenant, an audience and a due campaign straight into the tables, for tests of the stages below the API. */
import { addressHash } from '../audience/address.ts';
import { type CampaignId, newId, type TenantId, type TransportId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { partOf } from '../ledger/partitions.ts';
import type { Database } from '../platform/mysql.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { sealTransportSecret } from '../transport-settings/transport-secrets.ts';
import { type SmtpSecret, transportLimits } from '../transports/smtp-settings.ts';

export interface TestCampaignOptions {
  readonly db: Database;
  readonly keys: Keys;
  readonly emails: readonly string[];
  readonly smtpPort: number;
  readonly inDoubtPolicy?: 'assume_delivered' | 'resend';
  readonly limits?: Readonly<Record<string, unknown>>;
  /** Of the transport, beside host and port. Default: no TLS, no login. */
  readonly smtpSettings?: Readonly<Record<string, unknown>>;
  readonly secret?: SmtpSecret;
  readonly destinationMode?: 'transport' | 'provider';
  readonly html?: string;
  readonly deliverWithinSeconds?: number;
  /** Default: due at once. */
  readonly sendInSeconds?: number;
  /** Default: greets by first name. */
  readonly subject?: string;
  /** Transactional 0, flow 1, campaign 2 (the default). */
  readonly class?: number;
  readonly perMinute?: number;
  /** Default: a tenant and a transport of its own. A tenant's campaigns must not have an address in common. */
  readonly tenantId?: TenantId;
  readonly transportId?: TransportId;
  readonly sendingDomain?: string;
}

export interface TestOwner {
  readonly tenantId: TenantId;
  readonly listId: number;
  readonly transportId: TransportId;
}

export interface TestCampaign extends TestOwner {
  readonly campaignId: CampaignId;
}

const defaultHtml =
  '<html><body><p>Hello {{ profile.first_name }}</p><a href="{{ unsubscribe_url }}">stop</a></body></html>';

/** A tenant with an audience and a transport, and no campaign yet. */
export async function createTestOwner(options: TestCampaignOptions): Promise<TestOwner> {
  const { db } = options;
  const tenantId = options.tenantId ?? newId('tenant');
  const listId = newId('list');
  const transportId = options.transportId ?? newId('transport');
  await db.write('INSERT IGNORE INTO tenants (id, name, created_at) VALUES (?, ?, NOW(3))', [
    tenantId,
    'Test',
  ]);
  await insertAudience(options, tenantId, listId);
  if (!options.transportId) await insertTransport(options, tenantId, transportId);
  return { tenantId, listId, transportId };
}

export async function createTestCampaign(options: TestCampaignOptions): Promise<TestCampaign> {
  const { db } = options;
  const { tenantId, listId, transportId } = await createTestOwner(options);
  const campaignId = newId('campaign');
  await insertTemplate(options, tenantId);
  await db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, transport_id, template_id, template_version,
       audience, message, in_doubt_policy, deliver_within_s, per_minute, sending_domain, created_at, updated_at)
     VALUES (?, ?, ?, 'Test', ?, 'scheduled', NOW(3) + INTERVAL ? SECOND, ?, 1, 1, ?, ?, ?, ?, ?, ?, NOW(3), NOW(3))`,
    [
      tenantId,
      campaignId,
      partOf(Date.now()),
      options.class ?? 2,
      options.sendInSeconds ?? 0,
      transportId,
      JSON.stringify({ includedLists: [listId], excludedLists: [] }),
      JSON.stringify({ fromEmail: 'shop@example.com', fromName: 'Shop' }),
      options.inDoubtPolicy ?? 'assume_delivered',
      options.deliverWithinSeconds ?? 3600,
      options.perMinute ?? null,
      options.sendingDomain ?? 'example.com',
    ],
  );
  return { tenantId, campaignId, listId, transportId };
}

async function insertAudience({ db, keys, emails }: TestCampaignOptions, tenantId: TenantId, listId: number) {
  const lastBefore = await db.first<{ id: number | null }>(
    'SELECT MAX(id) AS id FROM profiles WHERE tenant_id = ?',
    [tenantId],
  );
  for (let at = 0; at < emails.length; at += 1_000) {
    const rows = emails
      .slice(at, at + 1_000)
      .map((email, i) => [
        tenantId,
        email,
        addressHash(keys.address, tenantId, email),
        JSON.stringify({ first_name: `Name${at + i}` }),
        new Date(),
        new Date(),
      ]);
    await db.write(
      'INSERT INTO profiles (tenant_id, email, email_hash, attributes, created_at, updated_at) VALUES ?',
      [rows],
    );
  }
  // Members of a list that is not there would be swept away.
  await db.write(
    "INSERT INTO lists (tenant_id, id, name, created_at, updated_at) VALUES (?, ?, 'Test', NOW(3), NOW(3))",
    [tenantId, listId],
  );
  await db.write(
    'INSERT INTO list_members (tenant_id, list_id, profile_id, added_at) SELECT tenant_id, ?, id, NOW(3) FROM profiles WHERE tenant_id = ? AND id > ?',
    [listId, tenantId, lastBefore?.id ?? 0],
  );
}

async function insertTemplate(options: TestCampaignOptions, tenantId: TenantId) {
  const { db, html = defaultHtml, subject = 'Hello {{ profile.first_name }}' } = options;
  await db.write(
    `INSERT IGNORE INTO template_versions (tenant_id, template_id, version, subject, html, created_at)
     VALUES (?, 1, 1, ?, ?, NOW(3))`,
    [tenantId, subject, html],
  );
}

async function insertTransport(options: TestCampaignOptions, tenantId: TenantId, transportId: TransportId) {
  const { secret } = options;
  const box = createSecretBox(options.keys.secrets);
  await options.db.write(
    `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, secret, destination_mode, created_at, updated_at)
     VALUES (?, ?, 'sink', 'smtp', ?, ?, ?, ?, NOW(3), NOW(3))`,
    [
      transportId,
      tenantId,
      JSON.stringify({ host: '127.0.0.1', port: options.smtpPort, tls: 'none', ...options.smtpSettings }),
      JSON.stringify(transportLimits.parse(options.limits ?? {})),
      secret ? sealTransportSecret(box, { owner: tenantId, id: transportId }, secret) : null,
      options.destinationMode ?? 'transport',
    ],
  );
}
