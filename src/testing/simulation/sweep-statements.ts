/** The statements of the leading dispatcher's sweeps: S6, settlement, stopped and complete campaigns; under the conditions of the SQL. */
import { afterCrash } from '../../ledger/poison.ts';
import { recountLocked, requeue } from './recount-model.ts';
import { type Campaign, type Chunk, isRunning, setDelivery, setEpoch, type Tables } from './tables.ts';
import { doubtAttempts, type StatementRules } from './worker-statements.ts';

export interface TakenOver {
  readonly chunk: Chunk;
  readonly owner: string | null;
  readonly inDoubt: number;
}

/** S6. */
export function takeOver(chunk: Chunk, now: number, rules: StatementRules): TakenOver | undefined {
  const isExpired = (chunk.state === 'dispatched' || chunk.state === 'leased') && chunk.leaseUntil < now;
  if (!isExpired) return undefined;
  const { owner } = chunk;
  const wasFatal = chunk.state === 'dispatched' && owner !== null;
  const inDoubt = rules.protections.doubtAtTakeover ? doubtAttempts(chunk, now) : forgetAttempts(chunk);
  const crashes = wasFatal ? afterCrash(chunk.crashes) : chunk.crashes;
  setEpoch(chunk, chunk.epoch + 1);
  requeue(chunk, now, { epoch: chunk.epoch, crashes, holdMs: 0 }, rules);
  return { chunk, owner, inDoubt };
}

/** What a takeover without doubt would do. */
function forgetAttempts(chunk: Chunk): number {
  for (const row of chunk.rows) if (row.state === 'attempting') setDelivery(row, 'pending');
  return 0;
}

/** Chunks with a doubt that is ripe, and those whose doubts came to their end while nobody counted. */
export function findRipe(
  tables: Tables,
  now: number,
  settleAfterMs: number,
  { protections }: StatementRules,
): readonly Chunk[] {
  return tables.chunks.filter((chunk) => {
    const { campaign } = chunk;
    if (chunk.state !== 'pending' || chunk.counts.in_doubt === 0) return false;
    if (campaign.state !== 'sending' && !campaign.isSettling) return false;
    const doubts = chunk.rows.filter((row) => row.state === 'in_doubt');
    if (doubts.length === 0) return protections.forsakenCounted;
    return doubts.some((row) => row.outcomeAt < now - settleAfterMs);
  });
}

export function settleDoubt(chunk: Chunk, now: number, settleAfterMs: number, rules: StatementRules): void {
  if (chunk.state !== 'pending') return;
  for (const row of chunk.rows) {
    if (row.state !== 'in_doubt' || row.outcomeAt >= now - settleAfterMs) continue;
    if (chunk.campaign.policy === 'resend') row.resends++;
    setDelivery(row, chunk.campaign.policy === 'resend' ? 'pending' : 'sent');
  }
  recountLocked(chunk, now, rules);
}

/** It is overdue, or was cancelled and has something left. */
export function isStopped({ state, isSettling, deadlineAt }: Campaign, now: number): boolean {
  return state === 'sending' ? deadlineAt <= now : state === 'cancelled' && isSettling;
}

/** Settles what a cancelled or overdue campaign has left, and ends its settling. */
export function sweepStopped(campaign: Campaign, now: number, rules: StatementRules): void {
  if (!isStopped(campaign, now)) return;
  const isOverdue = campaign.state === 'sending';
  let found = 0;
  for (const chunk of campaign.chunks) {
    if (chunk.state !== 'pending' || chunk.counts.pending + chunk.counts.deferred === 0) continue;
    found++;
    settleStopped(chunk, isOverdue ? 'expired' : 'cancelled', now, rules);
  }
  if (!isOverdue && found === 0 && !hasOpenChunk(campaign)) campaign.isSettling = false;
}

function settleStopped(
  chunk: Chunk,
  becomes: 'cancelled' | 'expired',
  now: number,
  rules: StatementRules,
): void {
  for (const row of chunk.rows)
    if (row.state === 'pending' || row.state === 'deferred') setDelivery(row, becomes);
  const { epoch, crashes } = chunk;
  requeue(chunk, now, { epoch, crashes, holdMs: 0, isNotDue: true }, rules);
}

export function completeCampaign(campaign: Campaign): void {
  if (campaign.state === 'sending' && !hasOpenChunk(campaign)) campaign.state = 'sent';
}

function hasOpenChunk(campaign: Campaign): boolean {
  return campaign.chunks.some((chunk) => chunk.state !== 'done');
}

/** Brings back what was parked, of campaigns that run again. */
export function unpark(tables: Tables, campaign: Campaign, now: number): void {
  if (!campaign.isParked || !isRunning(campaign, now)) return;
  for (const chunk of campaign.chunks) {
    const isParked = chunk.state === 'pending' && chunk.dueAt === Number.POSITIVE_INFINITY;
    if (isParked && chunk.counts.pending + chunk.counts.deferred > 0) chunk.dueAt = now;
  }
  for (const lane of tables.lanes) if (lane.tenantId === campaign.tenantId) lane.nextDueAt = now;
  campaign.isParked = false;
}
