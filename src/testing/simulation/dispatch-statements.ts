/** What a dispatch pass reads and writes: demand, candidates, S1, parking; under the conditions of the SQL in src/dispatch. */
import type { Candidate } from '../../dispatch/demand-store.ts';
import type { DestinationDemand, Lane, Share } from '../../dispatch/dispatch-policy.ts';
import type { PlannedGrant } from '../../dispatch/plan-grants.ts';
import { type Chunk, isRunning, type LaneRow, setEpoch, type Tables } from './tables.ts';
import type { StatementRules } from './worker-statements.ts';

export function readOutstanding(tables: Tables): ReadonlyMap<number, number> {
  const outstanding = new Map<number, number>();
  for (const { state, lane, grantN } of tables.chunks) {
    if (state !== 'dispatched' && state !== 'leased') continue;
    outstanding.set(lane.destinationId, (outstanding.get(lane.destinationId) ?? 0) + grantN);
  }
  return outstanding;
}

export function readDemand(
  tables: Tables,
  now: number,
  hasRoom: (outstanding: number) => boolean,
): readonly DestinationDemand[] {
  const outstanding = readOutstanding(tables);
  const lanes = new Map<number, Lane[]>();
  const due = tables.lanes.filter((lane) => lane.nextDueAt <= now).sort((a, b) => a.nextDueAt - b.nextDueAt);
  for (const lane of due) {
    if (!hasRoom(outstanding.get(lane.destinationId) ?? 0)) continue;
    const group = lanes.get(lane.destinationId);
    if (group) group.push(lane);
    else lanes.set(lane.destinationId, [lane]);
  }
  return [...new Set([...outstanding.keys(), ...lanes.keys()])].map((destinationId) => ({
    destinationId,
    outstanding: outstanding.get(destinationId) ?? 0,
    lanes: lanes.get(destinationId) ?? [],
  }));
}

const spareChunks = 4;

export function readCandidates(shares: readonly Share[], now: number): readonly Candidate[] {
  return shares.flatMap(({ lane, messages }) =>
    (lane as LaneRow).chunks
      .filter((chunk) => chunk.state === 'pending' && chunk.dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, Math.ceil(messages / 100) + spareChunks)
      .map((chunk) => toCandidate(chunk, now)),
  );
}

function toCandidate(chunk: Chunk, now: number): Candidate {
  const { key, lane, epoch, size, crashes, counts, campaign } = chunk;
  const sendable = counts.pending + counts.deferred;
  return { ...key, lane, epoch, size, crashes, sendable, isRunning: isRunning(campaign, now) };
}

/** S1; undefined when we do not lead. */
export function dispatchGrants(
  tables: Tables,
  planned: readonly PlannedGrant[],
  leader: string,
  now: number,
  { protections, leaseMs }: StatementRules,
): readonly PlannedGrant[] | undefined {
  const leads = tables.lead.owner === leader && tables.lead.until > now;
  if (!leads) return undefined;
  const dispatched: PlannedGrant[] = [];
  for (const { lane, grant } of planned) {
    const chunk = tables.chunks[grant.chunkNo]!;
    const isCurrent = chunk.state === 'pending' && chunk.epoch === grant.epoch;
    if (!isCurrent && (protections.dispatchChecksEpoch || chunk.state === 'done')) continue;
    chunk.state = 'dispatched';
    setEpoch(chunk, grant.epoch + 1);
    chunk.grantN = grant.n;
    chunk.leaseUntil = now + leaseMs;
    dispatched.push({ lane, grant: { ...grant, epoch: grant.epoch + 1 } });
  }
  for (const { lane } of planned) touchLane(lane as LaneRow, now);
  return dispatched;
}

function touchLane(lane: LaneRow, now: number): void {
  if (lane.nextDueAt <= now) lane.nextDueAt = now;
}

/** A lane that had nothing due after all sleeps until its next chunk is. */
export function rescheduleLane(lane: LaneRow): void {
  let next = Number.POSITIVE_INFINITY;
  for (const chunk of lane.chunks) if (chunk.state === 'pending') next = Math.min(next, chunk.dueAt);
  lane.nextDueAt = next;
}

export function park(tables: Tables, { campaignId }: Candidate, now: number): void {
  const campaign = tables.campaigns[campaignId - 1]!;
  if (isRunning(campaign, now)) return;
  campaign.isParked = true;
  for (const chunk of campaign.chunks) if (chunk.state === 'pending') chunk.dueAt = Number.POSITIVE_INFINITY;
}

/** The belt lost its jobs: all that is dispatched and not claimed goes back at once. */
export function returnDispatched(tables: Tables, now: number): void {
  for (const chunk of tables.chunks) {
    if (chunk.state !== 'dispatched') continue;
    chunk.state = 'pending';
    setEpoch(chunk, chunk.epoch + 1);
    chunk.owner = null;
    chunk.grantN = 0;
    chunk.leaseUntil = Number.POSITIVE_INFINITY;
    chunk.dueAt = now;
    chunk.lane.nextDueAt = now;
  }
}

/** Takes or renews the lead; true while `owner` has it. */
export function takeLead({ lead }: Tables, owner: string, now: number, termMs: number): boolean {
  if (lead.until < now) lead.owner = owner;
  if (lead.owner === owner) lead.until = now + termMs;
  return lead.owner === owner;
}
