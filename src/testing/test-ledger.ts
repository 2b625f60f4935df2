/** A running campaign with chunks of pending deliveries, put straight into the tables: for tests of the ledger's statements. */
import { createHash } from 'node:crypto';
import type { Lane } from '../dispatch/demand.ts';
import { dispatchGrants } from '../dispatch/dispatch-store.ts';
import { type CampaignId, newId, type TenantId } from '../ids.ts';
import { claimGrant } from '../ledger/claim.ts';
import type { ChunkKey } from '../ledger/delivery-id.ts';
import { chunkValues, chunkWhere, type Grant } from '../ledger/grant.ts';
import { partOf } from '../ledger/partitions.ts';
import { counterSlots } from '../ledger/recount.ts';
import { type DeliveryState, deliveryStateName } from '../ledger/states.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Database, Sql } from '../platform/mysql.ts';

export interface TestLedgerOptions {
  readonly tenantId?: TenantId;
  readonly destinationId?: number;
  readonly chunks?: number;
  /** Deliveries in each chunk. */
  readonly size?: number;
  readonly policy?: 'assume_delivered' | 'resend';
}

export interface TestLedger {
  readonly tenantId: TenantId;
  readonly campaignId: CampaignId;
  readonly lane: Lane;
  key(chunkNo?: number): ChunkKey;
}

/** Always leads: for what needs a leader and is not about leading. */
export const alwaysLeading: Leadership = {
  lead: async () => true,
  assertLeading: async () => undefined,
  resign: async () => undefined,
};

export async function createTestLedger(db: Database, options: TestLedgerOptions = {}): Promise<TestLedger> {
  const { tenantId = newId('tenant'), destinationId = 7, chunks = 1, size = 10 } = options;
  const campaignId = newId('campaign');
  const part = partOf(Date.now());
  const key = (chunkNo = 0): ChunkKey => ({ tenantId, campaignId, chunkNo, part });
  await insertCampaign(db, key(), options.policy ?? 'assume_delivered');
  for (let chunkNo = 0; chunkNo < chunks; chunkNo++) await insertChunk(db, key(chunkNo), destinationId, size);
  const lane = { tenantId, destinationId, class: 2 };
  await db.write(
    `INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES (?, ?, 2, NOW(3))
     ON DUPLICATE KEY UPDATE next_due_at = NOW(3)`,
    [tenantId, destinationId],
  );
  return { tenantId, campaignId, lane, key };
}

async function insertCampaign(sql: Sql, { tenantId, campaignId, part }: ChunkKey, policy: string) {
  await sql.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, deadline_at, audience, message, in_doubt_policy,
       deliver_within_s, expansion_done, created_at, updated_at)
     VALUES (?, ?, ?, 'Test', 2, 'sending', NOW(3), NOW(3) + INTERVAL 1 HOUR, '{"includedLists":[]}', '{}', ?, 3600, 1, NOW(3), NOW(3))`,
    [tenantId, campaignId, part, policy],
  );
  const slots = Array.from({ length: counterSlots }, (_, slot) => [tenantId, campaignId, slot]);
  await sql.write('INSERT INTO campaign_counters (tenant_id, campaign_id, slot) VALUES ?', [slots]);
}

async function insertChunk(sql: Sql, key: ChunkKey, destinationId: number, size: number): Promise<void> {
  await sql.write(
    `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, due_at, size, n_pending)
     VALUES (?, ?, ?, ?, ?, 2, NOW(3), ?, ?)`,
    [...chunkValues(key), destinationId, size, size],
  );
  const rows = Array.from({ length: size }, (_, seq) => {
    const addressHash = testAddressHash(key.chunkNo, seq);
    return [key.tenantId, key.campaignId, key.chunkNo, seq, key.part, seq + 1, addressHash];
  });
  await sql.write(
    'INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash) VALUES ?',
    [rows],
  );
  await sql.write(
    'UPDATE campaign_counters SET n_pending = n_pending + ? WHERE tenant_id = ? AND campaign_id = ? AND slot = ?',
    [size, key.tenantId, key.campaignId, key.chunkNo % counterSlots],
  );
}

export function testAddressHash(chunkNo: number, seq: number): Buffer {
  return createHash('sha256').update(`${chunkNo}/${seq}`).digest().subarray(0, 16);
}

/** S1 as the dispatcher does it. */
export async function dispatchChunk(db: Database, ledger: TestLedger, chunkNo = 0): Promise<Grant> {
  const { epoch, size } = await readChunk(db, ledger.key(chunkNo));
  const grant = { ...ledger.key(chunkNo), epoch, n: size };
  const [dispatched] = await dispatchGrants(db, alwaysLeading, [{ lane: ledger.lane, grant }]);
  if (!dispatched) throw new Error('the chunk is not pending');
  return dispatched.grant;
}

/** S1 and S2. */
export async function leaseChunk(
  db: Database,
  ledger: TestLedger,
  owner: string,
  chunkNo = 0,
): Promise<Grant> {
  const grant = await dispatchChunk(db, ledger, chunkNo);
  if (!(await claimGrant(db, grant, owner))) throw new Error('the chunk was not claimed');
  return grant;
}

/** As if its worker had been gone for a term. */
export async function expireLease(sql: Sql, key: ChunkKey): Promise<void> {
  await sql.write(
    `UPDATE chunks SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE ${chunkWhere}`,
    chunkValues(key),
  );
}

export interface ChunkRow {
  readonly state: number;
  readonly epoch: number;
  readonly owner: string | null;
  readonly grant_n: number;
  readonly size: number;
  readonly crashes: number;
  /** ms from now. */
  readonly due_in: number;
  readonly lease_in: number | null;
}

export async function readChunk(sql: Sql, key: ChunkKey): Promise<ChunkRow> {
  const row = await sql.first<ChunkRow>(
    `SELECT state, epoch, owner, grant_n, size, crashes, TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) / 1000 AS due_in,
       TIMESTAMPDIFF(MICROSECOND, NOW(3), lease_until) / 1000 AS lease_in
     FROM chunks WHERE ${chunkWhere}`,
    chunkValues(key),
  );
  if (!row) throw new Error('no such chunk');
  return row;
}

/** The states of the chunk's rows, by seq. */
export async function readStates(sql: Sql, key: ChunkKey): Promise<readonly DeliveryState[]> {
  const rows = await sql.rows<{ state: number }>(
    `SELECT state FROM deliveries WHERE ${chunkWhere} ORDER BY seq`,
    chunkValues(key),
  );
  return rows.map((row) => deliveryStateName(row.state));
}

/** ms until the lane is looked at again; null when it sleeps until something wakes it. */
export async function readLaneDueIn(
  sql: Sql,
  { tenantId, destinationId, class: c }: Lane,
): Promise<number | null> {
  const row = await sql.first<{ due_in: number | null }>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), next_due_at) / 1000 AS due_in FROM lanes
     WHERE tenant_id = ? AND destination_id = ? AND class = ?`,
    [tenantId, destinationId, c],
  );
  return row?.due_in ?? null;
}
