/** Campaigns that go the whole way: due, started, expanded, dispatched, rendered, sent. */
import { addressHash } from '../../audience/address.ts';
import { type CampaignId, newId, type TenantId, type TransportId } from '../../ids.ts';
import type { Bench } from './bench.ts';
import { type Tables, thisPart } from './tenants.ts';

export interface Launched {
  readonly campaignId: CampaignId;
  /** When it was due: ms since 1970. */
  readonly dueAt: number;
}

/** A list of so many people at `domain`; answers its id. */
export async function createList(
  { db, keys }: Tables,
  tenantId: TenantId,
  domain: string,
  people: number,
): Promise<number> {
  const listId = newId('list');
  const now = new Date();
  const rows = Array.from({ length: people }, (_, i) => {
    const email = `reader${i}@${domain}`;
    const hash = addressHash(keys.address, tenantId, email);
    return [tenantId, email, hash, JSON.stringify({ first_name: `Name${i}` }), now, now];
  });
  await db.write(
    'INSERT INTO profiles (tenant_id, email, email_hash, attributes, created_at, updated_at) VALUES ?',
    [rows],
  );
  await db.write(
    "INSERT INTO lists (tenant_id, id, name, created_at, updated_at) VALUES (?, ?, 'Readers', NOW(3), NOW(3))",
    [tenantId, listId],
  );
  await db.write(
    `INSERT INTO list_members (tenant_id, list_id, profile_id, added_at)
     SELECT tenant_id, ?, id, NOW(3) FROM profiles WHERE tenant_id = ? AND email LIKE 'reader%'`,
    [listId, tenantId],
  );
  return listId;
}

/** Schedules it for now. */
export async function launchCampaign(
  { db }: Tables,
  { tenantId, listId, transportId }: { tenantId: TenantId; listId: number; transportId: TransportId },
): Promise<Launched> {
  const campaignId = newId('campaign');
  const dueAt = Date.now();
  await db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, transport_id, template_id, template_version,
       audience, message, in_doubt_policy, deliver_within_s, created_at, updated_at, sending_domain)
     VALUES (?, ?, ?, 'Small', 2, 'scheduled', NOW(3), ?, 1, 1, ?, '{"fromEmail":"shop@example.com","fromName":"Shop"}',
       'assume_delivered', 3600, NOW(3), NOW(3), 'example.com')`,
    [
      tenantId,
      campaignId,
      thisPart(),
      transportId,
      JSON.stringify({ includedLists: [listId], excludedLists: [] }),
    ],
  );
  return { campaignId, dueAt };
}

/** Until the ledger says that all is over. */
export function waitUntilSent(
  bench: Bench,
  tenantId: TenantId,
  campaignId: CampaignId,
  timeoutMs: number,
): Promise<void> {
  const isSent = async () => {
    const row = await bench.tables.db.first<{ state: string }>(
      'SELECT state FROM campaigns WHERE tenant_id = ? AND id = ?',
      [tenantId, campaignId],
    );
    return row?.state === 'sent';
  };
  return bench.waitUntil('a small campaign to be sent', isSent, timeoutMs);
}
