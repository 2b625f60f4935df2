/**
 * A campaign's deliveries, in order of their keys. There is no index by state: a listing by state walks the chunks that
 * count any of it, and reads only those (DESIGN 4a). Every call is bounded, whatever the campaign's size: it may find fewer than
 * asked for, or none, and still know where to go on.
 */
import type { ProfileId } from '../ids.ts';
import type { DeliveryKey } from '../ledger/delivery-id.ts';
import { chunkStates, type DeliveryState, deliveryStateName, deliveryStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import type { Campaign } from './campaign.ts';

export interface Delivery {
  readonly key: DeliveryKey;
  readonly profileId: ProfileId;
  /** The address it goes to; null once the profile has another or was erased. */
  readonly email: string | null;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly replyCode: number | null;
  readonly reason: string | null;
  readonly settledBy: string | null;
  readonly nextAttemptAt: Date | null;
  readonly outcomeAt: Date | null;
}

/** Behind this delivery; `seq` of -1 is before the first of the chunk. */
export interface DeliveryPosition {
  readonly chunkNo: number;
  readonly seq: number;
}

export interface DeliveryQuery {
  readonly state?: DeliveryState | undefined;
  readonly after: DeliveryPosition;
  readonly limit: number;
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  /** Where to go on; undefined at the end. */
  readonly next: DeliveryPosition | undefined;
}

/** Bounds of one call: rows of `chunks` that are looked at, and chunks whose deliveries are (up to 500 each). */
const chunksSeen = 5_000;
const chunksRead = 100;

export async function listDeliveries(
  sql: Sql,
  campaign: Campaign,
  query: DeliveryQuery,
): Promise<DeliveryPage> {
  const { after, limit } = query;
  const found = await findChunks(sql, campaign, query);
  const rows = found.length === 0 ? [] : await readDeliveries(sql, campaign, query, found);
  const deliveries = rows.slice(0, limit).map(toDelivery);
  const end = deliveries.at(-1)?.key;
  if (rows.length > limit && end) return { deliveries, next: { chunkNo: end.chunkNo, seq: end.seq } };
  const isCut = found.length === chunksRead;
  const nextChunkNo = isCut ? (found.at(-1) as number) + 1 : after.chunkNo + chunksSeen;
  const isEnd = nextChunkNo >= campaign.nextChunkNo;
  return { deliveries, next: isEnd ? undefined : { chunkNo: nextChunkNo, seq: -1 } };
}

export async function findDelivery(sql: Sql, key: DeliveryKey): Promise<Delivery | undefined> {
  const row = await sql.first<Row>(
    `${selectDelivery} WHERE d.tenant_id = ? AND d.campaign_id = ? AND d.chunk_no = ? AND d.seq = ? AND d.part = ?`,
    [key.tenantId, key.campaignId, key.chunkNo, key.seq, key.part],
  );
  return row && toDelivery(row);
}

/** Its week was dropped (RETENTION_WEEKS): it had chunks, and has none. */
export async function areDropped(sql: Sql, { tenantId, id, part, nextChunkNo }: Campaign): Promise<boolean> {
  if (nextChunkNo === 0) return false;
  const chunk = await sql.first(
    'SELECT 1 FROM chunks WHERE tenant_id = ? AND campaign_id = ? AND part = ? LIMIT 1',
    [tenantId, id, part],
  );
  return chunk === undefined;
}

/** Numbers of chunks that may hold some, of the next `chunksSeen`. The counts of a leased chunk are of before its grant: it is read anyway. */
async function findChunks(
  sql: Sql,
  { tenantId, id, part }: Campaign,
  { state, after }: DeliveryQuery,
): Promise<number[]> {
  const filter = state ? `AND (n_${state} > 0 OR state = ${chunkStates.leased})` : '';
  const rows = await sql.rows<{ chunkNo: number }>(
    `SELECT chunk_no AS chunkNo FROM chunks
     WHERE tenant_id = ? AND campaign_id = ? AND chunk_no >= ? AND chunk_no < ? AND part = ? ${filter}
     ORDER BY chunk_no LIMIT ?`,
    [tenantId, id, after.chunkNo, after.chunkNo + chunksSeen, part, chunksRead],
  );
  return rows.map((row) => row.chunkNo);
}

/** One more than the limit, which says that there are more. */
function readDeliveries(
  sql: Sql,
  { tenantId, id, part }: Campaign,
  { state, after, limit }: DeliveryQuery,
  chunkNos: readonly number[],
): Promise<Row[]> {
  return sql.rows<Row>(
    `${selectDelivery}
     WHERE d.tenant_id = ? AND d.campaign_id = ? AND d.chunk_no IN (?) AND d.part = ?
       AND (d.chunk_no > ? OR d.seq > ?) ${state ? `AND d.state = ${deliveryStates[state]}` : ''}
     ORDER BY d.chunk_no, d.seq LIMIT ?`,
    [tenantId, id, chunkNos, part, after.chunkNo, after.seq, limit + 1],
  );
}

const selectDelivery = `SELECT d.tenant_id AS tenantId, d.campaign_id AS campaignId, d.chunk_no AS chunkNo, d.seq, d.part,
    d.profile_id AS profileId, p.email, d.state, d.attempts, NULLIF(d.reply_code, 0) AS replyCode, d.reason, d.settled_by AS settledBy,
    d.next_attempt_at AS nextAttemptAt, NULLIF(d.outcome_at, '1970-01-01') AS outcomeAt
  FROM deliveries d
  LEFT JOIN profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id AND p.email_hash = d.address_hash`;

type Row = DeliveryKey & Omit<Delivery, 'key' | 'state'> & { readonly state: number };

function toDelivery({ tenantId, campaignId, chunkNo, seq, part, state, ...rest }: Row): Delivery {
  return { key: { tenantId, campaignId, chunkNo, seq, part }, state: deliveryStateName(state), ...rest };
}
