/** A grant: leave to send up to `n` messages of one chunk at one epoch. The unit of dispatch. */
import { type ChunkKey, formatChunkKey } from './delivery-id.ts';

export interface Grant extends ChunkKey {
  readonly epoch: number;
  readonly n: number;
}

/** Where a chunk's rows are: pass with the values of `chunkValues`. */
export const chunkWhere = 'tenant_id = ? AND campaign_id = ? AND chunk_no = ? AND part = ?';

export function chunkValues(key: ChunkKey): [number, number, number, number] {
  return [key.tenantId, key.campaignId, key.chunkNo, key.part];
}

/** Names one grant in Redis keys, job ids and logs: `tenant-campaign-chunk-epoch`. */
export function formatGrant(grant: Grant): string {
  return `${formatChunkKey(grant)}-${grant.epoch}`;
}
