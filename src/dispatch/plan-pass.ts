/** What one pass does with what it has read: pure, and the same in the dispatcher and in the simulation. */
import type { Candidate } from './candidate-store.ts';
import { type DestinationDemand, type Lane, laneKey, type Share } from './demand.ts';
import { type DispatchLimits, planShares, type Turns } from './dispatch-policy.ts';
import { cutToPieces, type Pieces, piecesOf } from './pieces.ts';
import { groupByLane, messagesOf, type PlannedGrant, planGrants } from './plan-grants.ts';
import type { LaneCredit, RetryCredits } from './retry-credits.ts';
import { type PostponedChunk, type QuietHours, type ReadyChunk, siftCandidates } from './sift-candidates.ts';

export interface PassInput {
  readonly demands: readonly DestinationDemand[];
  readonly limits: DispatchLimits;
  readonly turns: Turns;
  readonly credits: RetryCredits;
  /** As planned by `planReads`, and what was found there. */
  readonly reads: readonly Share[];
  readonly candidates: readonly Candidate[];
  readonly outstandingByCampaign: ReadonlyMap<number, number>;
  readonly quietHours?: QuietHours | undefined;
}

export interface PassPlan {
  readonly grants: readonly PlannedGrant[];
  /** How large a job of them may be. */
  readonly pieces: Pieces;
  readonly turns: Turns;
  /** To be saved with those of other lanes. */
  readonly credits: readonly LaneCredit[];
  /** Taken out of their lanes' way until their campaigns run again. */
  readonly parked: readonly Candidate[];
  readonly postponed: readonly PostponedChunk[];
  /** What may go, granted or not. */
  readonly ready: readonly ReadyChunk[];
  /** Lanes that had nothing due after all: to be put to sleep until their next chunk is. */
  readonly idleLanes: readonly Lane[];
}

export function planPass(input: PassInput): PassPlan {
  const { candidates, outstandingByCampaign, quietHours } = input;
  const { ready: whole, parked, postponed } = siftCandidates(candidates, outstandingByCampaign, quietHours);
  const pieces = piecesOf(input.demands);
  const ready = cutToPieces(whole, pieces);
  const demands = tellWaiting(input.demands, input.reads, ready);
  const { shares, turns } = planShares(demands, input.limits, input.turns);
  const { grants, credits } = planGrants(shares, ready, input.credits);
  const kept = { turns: keepActive(turns, demands), credits };
  return { grants, pieces, ...kept, parked, postponed, ready, idleLanes: findIdle(input) };
}

/** With nothing due or under way at a destination nobody has been before anybody: what is remembered stays bounded by what is active. Keys begin with it. */
function keepActive(turns: Turns, demands: readonly DestinationDemand[]): Turns {
  const active = new Set(demands.map(({ destinationId }) => String(destinationId)));
  return new Map([...turns].filter(([key]) => active.has(key.slice(0, key.indexOf('-')))));
}

function tellWaiting(
  demands: readonly DestinationDemand[],
  reads: readonly Share[],
  ready: readonly ReadyChunk[],
): readonly DestinationDemand[] {
  const found = groupByLane(ready);
  const looked = new Set(reads.map(({ lane }) => laneKey(lane)));
  const waitingOf = (key: string) => (looked.has(key) ? messagesOf(found.get(key) ?? []) : undefined);
  return demands.map((demand) => ({
    ...demand,
    lanes: demand.lanes.map((lane) => ({ ...lane, waiting: waitingOf(laneKey(lane)) })),
  }));
}

function findIdle({ reads, candidates }: PassInput): readonly Lane[] {
  const busy = new Set(candidates.map(({ lane }) => laneKey(lane)));
  return reads.map(({ lane }) => lane).filter((lane) => !busy.has(laneKey(lane)));
}

/** Lanes that are due and may have nothing, because their tenant has as much outstanding as its rate allows. */
export function findHeld(demands: readonly DestinationDemand[]): readonly Lane[] {
  const outstanding = new Map<number, number>();
  for (const demand of demands)
    for (const [tenantId, messages] of demand.outstanding.byTenant)
      outstanding.set(tenantId, (outstanding.get(tenantId) ?? 0) + messages);
  return demands
    .flatMap((demand) => demand.lanes)
    .filter(
      ({ tenantId, mostOutstanding = Infinity }) => (outstanding.get(tenantId) ?? 0) >= mostOutstanding,
    );
}
