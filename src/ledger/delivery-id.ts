/**
 * A delivery's public id is its key, spelt out: a webhook or a bounce that carries it leads to the row without an
 * index (DESIGN 4a). `dlv_` + tenant (11) + campaign (11) + part (4) + chunk (5) + seq (2), each in base32.
 */
import { type CampaignId, decodeNumber, encodeNumber, type TenantId } from '../ids.ts';

/** The full primary key of a chunk; `part` is the partition, the ISO week of the campaign's creation (yyyyww). */
export interface ChunkKey {
  readonly tenantId: TenantId;
  readonly campaignId: CampaignId;
  readonly chunkNo: number;
  readonly part: number;
}

export interface DeliveryKey extends ChunkKey {
  readonly seq: number;
}

const prefix = 'dlv_';
const widths = [11, 11, 4, 5, 2] as const;
const idLength = prefix.length + widths.reduce((sum, width) => sum + width, 0);

export function formatDeliveryId(key: DeliveryKey): string {
  return (
    prefix +
    encodeNumber(key.tenantId, widths[0]) +
    encodeNumber(key.campaignId, widths[1]) +
    encodeNumber(key.part, widths[2]) +
    encodeNumber(key.chunkNo, widths[3]) +
    encodeNumber(key.seq, widths[4])
  );
}

export function parseDeliveryId(text: string): DeliveryKey | undefined {
  if (text.length !== idLength || !text.startsWith(prefix)) return undefined;
  let at = prefix.length;
  const fields = widths.map((width) => {
    at += width;
    return decodeNumber(text.slice(at - width, at));
  });
  const [tenantId, campaignId, part, chunkNo, seq] = fields;
  if (fields.includes(undefined)) return undefined;
  return {
    tenantId: tenantId as TenantId,
    campaignId: campaignId as CampaignId,
    part: part as number,
    chunkNo: chunkNo as number,
    seq: seq as number,
  };
}

/** One chunk, as a short text without `:`; the Redis key of its payload and the BullMQ job id are built on it. */
export function formatChunkKey(key: ChunkKey): string {
  return `${key.tenantId}-${key.campaignId}-${key.chunkNo}`;
}
