/** The tables as expansion leaves them: every delivery pending, every lane awake. */
import type { ChunkKey } from '../../ledger/delivery-id.ts';
import type { CampaignShape } from './schedule.ts';
import type { Campaign, Chunk, Delivery, LaneRow, Tables } from './tables.ts';
import { countRows, noCounts } from './tables.ts';

export function makeTables(shapes: readonly CampaignShape[]): Tables {
  const chunks: Chunk[] = [];
  const lanes: LaneRow[] = [];
  const campaigns = shapes.map((shape, index) => {
    const campaign = makeCampaign(shape, index + 1);
    const lane = findLane(lanes, shape);
    for (const size of shape.chunks) {
      const chunk = makeChunk(campaign, lane, chunks.length, size);
      chunks.push(chunk);
      lane.chunks.push(chunk);
      campaign.chunks.push(chunk);
      campaign.counters.pending += size;
    }
    return campaign;
  });
  return { campaigns, chunks, lanes, lead: { owner: '', until: -1 } };
}

function makeCampaign({ policy, tenantId, deadlineMs }: CampaignShape, id: number): Campaign {
  return {
    id,
    tenantId,
    policy,
    deadlineAt: deadlineMs ?? Number.POSITIVE_INFINITY,
    state: 'sending',
    pausedAt: null,
    isSettling: false,
    isParked: false,
    stoppedAt: Number.POSITIVE_INFINITY,
    chunks: [],
    counters: noCounts(),
  };
}

function findLane(lanes: LaneRow[], { tenantId, destinationId }: CampaignShape): LaneRow {
  const found = lanes.find((lane) => lane.tenantId === tenantId && lane.destinationId === destinationId);
  if (found) return found;
  const lane: LaneRow = { tenantId, destinationId, class: 2, nextDueAt: 0, chunks: [] };
  lanes.push(lane);
  return lane;
}

function makeChunk(campaign: Campaign, lane: LaneRow, chunkNo: number, size: number): Chunk {
  const rows = Array.from({ length: size }, (_, seq) => makeDelivery(campaign, chunkNo, seq));
  return {
    key: { tenantId: campaign.tenantId, campaignId: campaign.id, chunkNo, part: 202647 } as ChunkKey,
    campaign,
    lane,
    size,
    rows,
    state: 'pending',
    epoch: 0,
    owner: null,
    grantN: 0,
    leaseUntil: Number.POSITIVE_INFINITY,
    dueAt: 0,
    crashes: 0,
    counts: countRows(rows),
  };
}

function makeDelivery(campaign: Campaign, chunkNo: number, seq: number): Delivery {
  return {
    name: `${chunkNo}/${seq}`,
    campaign,
    seq,
    state: 'pending',
    epoch: 0,
    attempts: 0,
    nextAttemptAt: 0,
    outcomeAt: 0,
    skippedAsPoison: false,
    suppressedAt: Number.POSITIVE_INFINITY,
    copies: 0,
    resends: 0,
  };
}
