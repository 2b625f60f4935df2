/** The ledger's tables in memory. Rows change only through `setDelivery` and `setEpoch`, which hold them to the table of transitions. */
import type { Lane } from '../../dispatch/demand.ts';
import type { ChunkKey } from '../../ledger/delivery-id.ts';
import type { InDoubtPolicy } from '../../ledger/settle-doubt.ts';
import {
  type ChunkState,
  type DeliveryState,
  deliveryStateNames,
  deliveryTransitions,
  type StateCounts,
} from '../../ledger/states.ts';
import { Violation } from './violation.ts';

export interface Delivery {
  readonly name: string;
  readonly campaign: Campaign;
  readonly seq: number;
  state: DeliveryState;
  epoch: number;
  attempts: number;
  nextAttemptAt: number;
  outcomeAt: number;
  skippedAsPoison: boolean;
  /** When an operator was told that nothing more starts to this address. */
  suppressedAt: number;
  /** Copies the mail server accepted, and how often a policy asked for another. */
  copies: number;
  resends: number;
}

export interface Campaign {
  readonly id: number;
  readonly tenantId: number;
  readonly policy: InDoubtPolicy;
  readonly deadlineAt: number;
  state: 'sending' | 'sent' | 'cancelled';
  pausedAt: number | null;
  isSettling: boolean;
  isParked: boolean;
  /** When the last pause or cancellation was answered; Infinity while it runs. */
  stoppedAt: number;
  readonly chunks: Chunk[];
  readonly counters: Record<DeliveryState, number>;
}

export interface Chunk {
  readonly key: ChunkKey;
  readonly campaign: Campaign;
  readonly lane: LaneRow;
  readonly size: number;
  readonly rows: readonly Delivery[];
  state: ChunkState;
  epoch: number;
  owner: string | null;
  grantN: number;
  leaseUntil: number;
  dueAt: number;
  crashes: number;
  counts: StateCounts;
}

export interface LaneRow extends Lane {
  /** Infinity stands for NULL. */
  nextDueAt: number;
  readonly chunks: Chunk[];
}

export interface Tables {
  readonly campaigns: readonly Campaign[];
  readonly chunks: readonly Chunk[];
  readonly lanes: readonly LaneRow[];
  readonly lead: { owner: string; until: number };
}

export function setDelivery(row: Delivery, state: DeliveryState): void {
  if (row.state === state) return;
  if (!deliveryTransitions[row.state].includes(state))
    throw new Violation('transitions are those of the table', `${row.name} from ${row.state} to ${state}`);
  const isFaithful = state === 'sent' || state === 'in_doubt' || row.copies === 0 || row.resends > 0;
  if (!isFaithful)
    throw new Violation('what was accepted is sent or in doubt', `${row.name} became ${state}`);
  row.state = state;
}

export function setEpoch(chunk: Chunk, epoch: number): void {
  if (epoch < chunk.epoch)
    throw new Violation('epochs only rise', `chunk ${chunk.key.chunkNo} from ${chunk.epoch} to ${epoch}`);
  chunk.epoch = epoch;
}

export function countRows(rows: readonly Delivery[]): Record<DeliveryState, number> {
  const counts = noCounts();
  for (const row of rows) counts[row.state]++;
  return counts;
}

export function noCounts(): Record<DeliveryState, number> {
  return {
    pending: 0,
    attempting: 0,
    sent: 0,
    bounced: 0,
    deferred: 0,
    in_doubt: 0,
    suppressed: 0,
    skipped: 0,
    cancelled: 0,
    expired: 0,
  };
}

/** Counters against what the chunks say, or the rows. */
export function assertCounters(campaign: Campaign, of: (chunk: Chunk) => StateCounts): void {
  const sums = noCounts();
  for (const chunk of campaign.chunks) {
    const counts = of(chunk);
    for (const state of deliveryStateNames) sums[state] += counts[state];
  }
  const wrong = deliveryStateNames.find((state) => sums[state] !== campaign.counters[state]);
  if (wrong)
    throw new Violation(
      'counters equal rows',
      `campaign ${campaign.id} counts ${campaign.counters[wrong]} ${wrong}, there are ${sums[wrong]}`,
    );
}

export function isRunning(campaign: Campaign, now: number): boolean {
  return campaign.state === 'sending' && campaign.pausedAt === null && campaign.deadlineAt > now;
}
