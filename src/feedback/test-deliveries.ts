/** A chunk whose deliveries stand in given states, for tests: rows, chunk counts and campaign counters agree. */
import type { Keys } from '../keys.ts';
import { type DeliveryKey, formatDeliveryId } from '../ledger/delivery-id.ts';
import { partOf } from '../ledger/partitions.ts';
import { counterSlots } from '../ledger/recount.ts';
import { chunkStates, type DeliveryState, deliveryStateNames, deliveryStates } from '../ledger/states.ts';
import type { Database } from '../platform/mysql.ts';
import { signDeliveryId } from '../render/tokens.ts';
import { createTestCampaign } from '../testing/test-campaign.ts';

export interface TestDelivery {
  readonly key: DeliveryKey;
  readonly token: string;
  readonly addressHash: Buffer;
}

export interface TestDeliveriesOptions {
  readonly db: Database;
  readonly keys: Keys;
  readonly states: readonly DeliveryState[];
  readonly chunkState?: keyof typeof chunkStates;
  /** Of those that can have none: pending rows. Others have one. */
  readonly pendingAttempts?: number;
}

/** In the order of `states`. */
export async function createTestDeliveries(options: TestDeliveriesOptions): Promise<readonly TestDelivery[]> {
  const { db, keys, states } = options;
  const emails = states.map((_, seq) => `reader${seq}@customer.example`);
  const { tenantId, campaignId } = await createTestCampaign({ db, keys, emails, smtpPort: 1 });
  const part = partOf(Date.now());
  const chunk = { tenantId, campaignId, chunkNo: 3, part };
  await insertChunk(options, chunk);
  await db.write(
    `INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash)
     SELECT tenant_id, ?, ?, ROW_NUMBER() OVER (ORDER BY id) - 1, ?, id, email_hash FROM profiles WHERE tenant_id = ?`,
    [campaignId, chunk.chunkNo, part, tenantId],
  );
  for (const [seq, state] of states.entries()) await standAt(options, { ...chunk, seq }, state);
  const rows = await db.rows<{ address_hash: Buffer }>(
    'SELECT address_hash FROM deliveries WHERE tenant_id = ? ORDER BY seq',
    [tenantId],
  );
  return rows.map(({ address_hash: addressHash }, seq) => {
    const key = { ...chunk, seq };
    return { key, addressHash, token: signDeliveryId(keys.signing, formatDeliveryId(key)) };
  });
}

type ChunkKey = Omit<DeliveryKey, 'seq'>;

async function insertChunk({ db, states, chunkState = 'pending' }: TestDeliveriesOptions, key: ChunkKey) {
  const counts = deliveryStateNames.map((name) => states.filter((state) => state === name).length);
  const columns = deliveryStateNames.map((name) => `n_${name}`).join(', ');
  await db.write(
    `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, state, epoch, due_at, size, ${columns})
     VALUES (?, ?, ?, ?, 1, 2, ?, 1, NOW(3), ?, ?)`,
    [key.tenantId, key.campaignId, key.chunkNo, key.part, chunkStates[chunkState], states.length, counts],
  );
  await db.write(
    `INSERT INTO campaign_counters (tenant_id, campaign_id, slot, ${columns}) VALUES (?, ?, ?, ?)`,
    [key.tenantId, key.campaignId, key.chunkNo % counterSlots, counts],
  );
}

async function standAt(
  { db, pendingAttempts = 0 }: TestDeliveriesOptions,
  key: DeliveryKey,
  state: DeliveryState,
) {
  await db.write(
    `UPDATE deliveries SET state = ?, attempts = ?, epoch = 1 WHERE tenant_id = ? AND campaign_id = ? AND seq = ?`,
    [deliveryStates[state], state === 'pending' ? pendingAttempts : 1, key.tenantId, key.campaignId, key.seq],
  );
}
