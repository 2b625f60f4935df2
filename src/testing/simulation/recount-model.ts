/** recount.ts and late-truth.ts of the ledger, over the tables in memory. */
import { dueInMs } from '../../ledger/due.ts';
import { isSettled } from '../../ledger/recount.ts';
import { deliveryStateNames } from '../../ledger/states.ts';
import type { Protections } from './protections.ts';
import { assertCounters, type Chunk, countRows } from './tables.ts';

export interface RecountRules {
  readonly retryStepMs: number;
  readonly protections: Protections;
}

export interface RequeueModel {
  readonly epoch: number;
  readonly crashes: number;
  readonly holdMs: number;
  readonly laneHoldMs?: number;
  /** What is settled for good is not due, whatever is left: a stopped campaign's chunk. */
  readonly isNotDue?: boolean;
}

/** Counts the rows, moves the counters by the difference, and writes the counts to the chunk. */
export function recount(chunk: Chunk, { protections }: RecountRules): void {
  const before = chunk.counts;
  const after = countRows(chunk.rows);
  for (const state of deliveryStateNames) chunk.campaign.counters[state] += after[state] - before[state];
  if (!protections.recountSets) chunk.campaign.counters.sent += after.sent - before.sent;
  chunk.counts = after;
  assertCounters(chunk.campaign, (one) => one.counts);
}

/** Recounts the chunk and writes it back as done, or as pending and due in time; wakes its lane. */
export function requeue(
  chunk: Chunk,
  now: number,
  { epoch, crashes, holdMs, laneHoldMs = 0, isNotDue = false }: RequeueModel,
  rules: RecountRules,
): void {
  recount(chunk, rules);
  const { counts, lane } = chunk;
  const dueIn = isNotDue
    ? null
    : dueInMs(
        { counts, nextAttemptInMs: nextAttemptIn(chunk, now), holdMs, chunkNo: chunk.key.chunkNo },
        rules,
      );
  const isDone = isSettled(counts);
  chunk.state = isDone ? 'done' : 'pending';
  chunk.epoch = epoch;
  chunk.crashes = crashes;
  chunk.owner = null;
  chunk.grantN = 0;
  chunk.leaseUntil = Number.POSITIVE_INFINITY;
  chunk.dueAt = dueIn === null ? Number.POSITIVE_INFINITY : now + dueIn;
  if (laneHoldMs > 0) lane.nextDueAt = now + laneHoldMs;
  else if (!isDone && dueIn !== null) lane.nextDueAt = Math.min(lane.nextDueAt, now + dueIn);
}

/** After rows were changed from outside a grant: a chunk that someone works on keeps its lease. */
export function recountLocked(chunk: Chunk, now: number, rules: RecountRules): void {
  const { state, epoch, crashes } = chunk;
  if (state === 'pending') requeue(chunk, now, { epoch, crashes, holdMs: 0 }, rules);
  else recount(chunk, rules);
}

function nextAttemptIn(chunk: Chunk, now: number): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const row of chunk.rows) if (row.state === 'deferred') next = Math.min(next, row.nextAttemptAt);
  return next === Number.POSITIVE_INFINITY ? null : next - now;
}
