/** Turns each lane's share of messages into grants over its next chunks. Pure. */
import type { Grant } from '../ledger/grant.ts';
import { type Lane, laneKey, type Share } from './demand.ts';
import type { ReadyChunk } from './sift-candidates.ts';

export interface PlannedGrant {
  readonly lane: Lane;
  /** At the chunk's epoch before dispatch; S1 raises it by one. */
  readonly grant: Grant;
}

/** While a lane has fresh messages, retries get this part of its share: what failed before may well fail again. */
const partForRetries = 1 / 5;

export function planGrants(shares: readonly Share[], ready: readonly ReadyChunk[]): readonly PlannedGrant[] {
  const byLane = groupByLane(ready);
  return shares.flatMap(({ lane, messages }) => grantShare(lane, byLane.get(laneKey(lane)) ?? [], messages));
}

function grantShare(lane: Lane, ready: readonly ReadyChunk[], messages: number): readonly PlannedGrant[] {
  const fresh = ready.filter(({ chunk }) => !chunk.isRetry);
  const retries = ready.filter(({ chunk }) => chunk.isRetry);
  const forRetries = Math.min(messagesOf(retries), roomForRetries(messages, messagesOf(fresh)));
  return [...grantChunks(lane, fresh, messages - forRetries), ...grantChunks(lane, retries, forRetries)];
}

/** All that fresh messages leave, and at least their part: of a share of several messages one, or they would never go. */
function roomForRetries(messages: number, fresh: number): number {
  const part = messages > 1 ? Math.max(1, Math.floor(messages * partForRetries)) : 0;
  return Math.max(messages - fresh, part);
}

function grantChunks(lane: Lane, ready: readonly ReadyChunk[], messages: number): readonly PlannedGrant[] {
  const planned: PlannedGrant[] = [];
  let left = messages;
  for (const { chunk, most } of ready) {
    const n = Math.min(left, most);
    if (n < 1) continue;
    planned.push({ lane, grant: { ...keyOf(chunk), epoch: chunk.epoch, n } });
    left -= n;
  }
  return planned;
}

export function messagesOf(ready: readonly ReadyChunk[]): number {
  return ready.reduce((sum, { most }) => sum + most, 0);
}

export function groupByLane(ready: readonly ReadyChunk[]): ReadonlyMap<string, readonly ReadyChunk[]> {
  const groups = new Map<string, ReadyChunk[]>();
  for (const one of ready) {
    const key = laneKey(one.chunk.lane);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function keyOf({ tenantId, campaignId, chunkNo, part }: ReadyChunk['chunk']) {
  return { tenantId, campaignId, chunkNo, part };
}
