/** Turns each lane's share of messages into grants over its next chunks. Pure. */
import type { Grant } from '../ledger/grant.ts';
import { largestGrantOf } from '../ledger/poison.ts';
import type { Candidate } from './demand-store.ts';
import { type Lane, rotationKey, type Share } from './dispatch-policy.ts';

export interface PlannedGrant {
  readonly lane: Lane;
  /** At the chunk's epoch before dispatch; S1 raises it by one. */
  readonly grant: Grant;
}

export interface GrantPlan {
  readonly grants: readonly PlannedGrant[];
  /** Chunks whose campaign is paused, stopped or past its deadline: taken out of their lane's way until that changes. */
  readonly parked: readonly Candidate[];
  /** Lanes that had nothing due after all: to be put to sleep until their next chunk is. */
  readonly idleLanes: readonly Lane[];
}

export function planGrants(shares: readonly Share[], candidates: readonly Candidate[]): GrantPlan {
  const byLane = groupByLane(candidates);
  const grants: PlannedGrant[] = [];
  const idleLanes: Lane[] = [];
  for (const { lane, messages } of shares) {
    const chunks = byLane.get(laneKey(lane)) ?? [];
    const planned = grantChunks(lane, chunks, messages);
    grants.push(...planned);
    if (chunks.length === 0) idleLanes.push(lane);
  }
  return { grants, parked: candidates.filter((candidate) => !candidate.isRunning), idleLanes };
}

function grantChunks(lane: Lane, chunks: readonly Candidate[], messages: number): readonly PlannedGrant[] {
  const planned: PlannedGrant[] = [];
  let left = messages;
  for (const chunk of chunks) {
    if (left <= 0) break;
    if (!chunk.isRunning || chunk.sendable === 0) continue;
    const n = Math.min(left, chunk.sendable, largestGrantOf(chunk));
    planned.push({ lane, grant: { ...keyOf(chunk), epoch: chunk.epoch, n } });
    left -= n;
  }
  return planned;
}

function keyOf({ tenantId, campaignId, chunkNo, part }: Candidate) {
  return { tenantId, campaignId, chunkNo, part };
}

function groupByLane(candidates: readonly Candidate[]): ReadonlyMap<string, readonly Candidate[]> {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = laneKey(candidate.lane);
    const group = groups.get(key);
    if (group) group.push(candidate);
    else groups.set(key, [candidate]);
  }
  return groups;
}

function laneKey(lane: Lane): string {
  return `${rotationKey(lane)}-${lane.tenantId}`;
}
