/** What a dispatch pass reads and writes: demand, candidates, S1, parking; under the conditions of the SQL in src/dispatch. */
import type { Candidate } from '../../dispatch/candidate-store.ts';
import type { DestinationDemand, DueLane, Lane, Share } from '../../dispatch/demand.ts';
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
  windowMessages: number,
): readonly DestinationDemand[] {
  const outstanding = readOutstanding(tables);
  const lanes = new Map<number, DueLane[]>();
  const due = tables.lanes.filter((lane) => lane.nextDueAt <= now).sort((a, b) => a.nextDueAt - b.nextDueAt);
  for (const { tenantId, destinationId, class: deliveryClass } of due) {
    const group = lanes.get(destinationId) ?? [];
    lanes.set(destinationId, [...group, { tenantId, destinationId, class: deliveryClass, weight: 100 }]);
  }
  return [...new Set([...outstanding.keys(), ...lanes.keys()])].map((destinationId) => ({
    destinationId,
    windowMessages,
    outstanding: { byClass: [0, 0, outstanding.get(destinationId) ?? 0], byTenant: new Map() },
    lanes: lanes.get(destinationId) ?? [],
  }));
}

const spareChunks = 4;

export function readCandidates(tables: Tables, shares: readonly Share[], now: number): readonly Candidate[] {
  return shares.flatMap(({ lane, messages }) =>
    [false, true].flatMap((retries) =>
      laneRowOf(tables, lane)
        .chunks.filter(
          (chunk) => chunk.state === 'pending' && chunk.dueAt <= now && isRetry(chunk) === retries,
        )
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, Math.ceil(messages / 100) + spareChunks)
        .map((chunk) => toCandidate(chunk, now)),
    ),
  );
}

function laneRowOf({ lanes }: Tables, { tenantId, destinationId }: Lane): LaneRow {
  return lanes.find((lane) => lane.tenantId === tenantId && lane.destinationId === destinationId) as LaneRow;
}

function isRetry({ counts }: Chunk): boolean {
  return counts.pending === 0 && counts.deferred > 0;
}

function toCandidate(chunk: Chunk, now: number): Candidate {
  const { key, lane, epoch, size, crashes, counts, campaign } = chunk;
  const sendable = counts.pending + counts.deferred;
  const limits = { senderRestsMs: 0, perMinute: null, overdueMs: now - chunk.dueAt };
  const shape = { lane, epoch, size, crashes, sendable, isRetry: isRetry(chunk) };
  return { ...key, ...shape, ...limits, isRunning: isRunning(campaign, now) };
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
  for (const { lane } of planned) touchLane(laneRowOf(tables, lane), now);
  return dispatched;
}

function touchLane(lane: LaneRow, now: number): void {
  if (lane.nextDueAt <= now) lane.nextDueAt = now;
}

/** A lane that had nothing due after all sleeps until its next chunk is. */
export function rescheduleLane(tables: Tables, { tenantId, destinationId }: Lane): void {
  const lane = laneRowOf(tables, { tenantId, destinationId, class: 2 });
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
