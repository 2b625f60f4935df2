/** Turns each lane's share of messages into grants over its next chunks. Pure. */
import type { Grant } from '../ledger/grant.ts';
import { groupBy } from '../platform/group-by.ts';
import { type Lane, laneKey, type Share } from './demand.ts';
import type { LaneCredit, RetryCredits } from './retry-credits.ts';
import type { ReadyChunk } from './sift-candidates.ts';

export interface PlannedGrant {
  readonly lane: Lane;
  /** At the chunk's epoch before dispatch; S1 raises it by one. */
  readonly grant: Grant;
  /** Of the span that dispatches it, once it is dispatched and where spans are recorded. */
  readonly traceparent?: string | undefined;
}

/**
 * While a lane has fresh messages, retries get this part of what it is given: what failed before may well fail again. It is saved up in `RetryCredits` until
 * it pays for all of a share, or a whole chunk: each share parted in two would be twice the grants, and twice the statements.
 */
const partForRetries = 1 / 5;
const wholeChunk = 500;

export interface GrantPlan {
  readonly grants: readonly PlannedGrant[];
  /** Of the lanes with retries that had a share: to be saved. */
  readonly credits: readonly LaneCredit[];
}

export function planGrants(
  shares: readonly Share[],
  ready: readonly ReadyChunk[],
  saved: Pick<RetryCredits, 'of'>,
): GrantPlan {
  const byLane = groupByLane(ready);
  const credits: LaneCredit[] = [];
  const grants = shares.flatMap(({ lane, messages }) => {
    const [fresh, retries] = partChunks(byLane.get(laneKey(lane)) ?? []);
    const before = saved.of(lane) ?? firstCredit(lane, messages);
    const parts = partShare(messages, [messagesOf(fresh), messagesOf(retries)], before);
    if (retries.length > 0) credits.push({ lane, messages: parts.credit });
    return [
      ...grantChunks(lane, fresh, messages - parts.forRetries),
      ...grantChunks(lane, retries, parts.forRetries),
    ];
  });
  return { grants, credits };
}

function partChunks(ready: readonly ReadyChunk[]) {
  return [ready.filter(({ chunk }) => !chunk.isRetry), ready.filter(({ chunk }) => chunk.isRetry)] as const;
}

/** Lanes whose retries fall due together don't have them go together, nor do all begin with what is fresh. */
function firstCredit({ tenantId }: Lane, messages: number): number {
  return (tenantId % (1 / partForRetries)) * partForRetries * Math.min(messages, wholeChunk);
}

/** Retries get what fresh messages leave, and what was saved for them once it is worth a grant. */
function partShare(messages: number, [fresh, retries]: readonly [number, number], saved: number) {
  const credit = saved + messages * partForRetries;
  const isWorthIt = credit >= Math.min(messages, retries, wholeChunk);
  const forRetries = Math.min(
    ...[messages, retries],
    Math.max(messages - fresh, isWorthIt ? Math.floor(credit) : 0),
  );
  return { forRetries, credit: Math.max(0, credit - forRetries) };
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
  return groupBy(ready, ({ chunk }) => laneKey(chunk.lane));
}

function keyOf({ tenantId, campaignId, chunkNo, part }: ReadyChunk['chunk']) {
  return { tenantId, campaignId, chunkNo, part };
}
