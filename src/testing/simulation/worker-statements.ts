/**
 * The statements of render and send workers, S2 to S5, one function for each: atomic, and under the same conditions as the SQL in
 * src/ledger (claim, intent, outcome, end-grant). A condition that is a protection can be switched off.
 */
import type { Grant } from '../../ledger/grant.ts';
import type { IntentResult } from '../../ledger/intent.ts';
import { longestRetryMs, type Result } from '../../ledger/outcome.ts';
import { afterProgress, isPoisoned } from '../../ledger/poison.ts';
import { type RecountRules, recountLocked, requeue } from './recount-model.ts';
import { type Chunk, type Delivery, isRunning, setDelivery, type Tables } from './tables.ts';

export interface StatementRules extends RecountRules {
  readonly leaseMs: number;
}

export function chunkOf(tables: Tables, grant: Grant): Chunk {
  return tables.chunks[grant.chunkNo]!;
}

/** S2. */
export function claimGrant(
  chunk: Chunk,
  grant: Grant,
  owner: string,
  now: number,
  rules: StatementRules,
): boolean {
  const { epochChecked, claimChecksOwner } = rules.protections;
  const isCurrent = chunk.epoch === grant.epoch || !epochChecked;
  const isFree =
    chunk.state === 'dispatched' ||
    (chunk.state === 'leased' && (chunk.owner === owner || !claimChecksOwner));
  if (!isCurrent || !isFree) return false;
  chunk.state = 'leased';
  chunk.owner = owner;
  chunk.leaseUntil = now + rules.leaseMs;
  return true;
}

/** S2 again, for all grants of the owner; answers those that are lost. */
export function renewLeases(
  tables: Tables,
  grants: readonly Grant[],
  owner: string,
  now: number,
  rules: StatementRules,
): ReadonlySet<Grant> {
  const lost = new Set<Grant>();
  for (const grant of grants) {
    const chunk = chunkOf(tables, grant);
    if (isOurs(chunk, grant, owner)) chunk.leaseUntil = now + rules.leaseMs;
    else lost.add(grant);
  }
  return lost;
}

export function beginRendering(
  chunk: Chunk,
  grant: Grant,
  owner: string,
  now: number,
  rules: StatementRules,
): boolean {
  if (chunk.epoch !== grant.epoch || chunk.state !== 'dispatched') return false;
  chunk.owner = owner;
  chunk.leaseUntil = now + rules.leaseMs;
  return true;
}

export function finishRendering(
  chunk: Chunk,
  grant: Grant,
  owner: string,
  now: number,
  rules: StatementRules,
): void {
  if (chunk.epoch !== grant.epoch || chunk.state !== 'dispatched' || chunk.owner !== owner) return;
  chunk.owner = null;
  chunk.leaseUntil = now + rules.leaseMs;
}

/** The recipients a renderer gets: those that are due, in the order in which they became so. */
export function readRecipients(chunk: Chunk, grant: Grant, now: number, { protections }: StatementRules) {
  const isCurrent = chunk.epoch === grant.epoch && chunk.state === 'dispatched';
  const due = isCurrent ? chunk.rows.filter((row) => isDue(row, now)) : [];
  if (protections.poisonKeepsItsPlace) due.sort((a, b) => dueSince(a) - dueSince(b));
  return { recipients: due.slice(0, grant.n), isPoisoned: due.length > 0 && isPoisoned(chunk) };
}

function dueSince(row: Delivery): number {
  return row.state === 'deferred' ? row.nextAttemptAt : row.outcomeAt;
}

export function recordPoison(chunk: Chunk, grant: Grant, row: Delivery): void {
  if (chunk.epoch !== grant.epoch) return;
  chunk.crashes = 0;
  if (!isUnsent(row) || (chunk.state !== 'dispatched' && chunk.state !== 'leased')) return;
  setDelivery(row, 'skipped');
  row.skippedAsPoison = true;
}

export interface IntentModel {
  readonly chunk: Chunk;
  readonly grant: Grant;
  readonly owner: string;
  readonly seqs: readonly number[];
}

/** S3. */
export function recordIntent(
  { chunk, grant, owner, seqs }: IntentModel,
  now: number,
  { protections }: StatementRules,
): IntentResult {
  const { epochChecked, intentChecksChunk } = protections;
  const isHeld = chunk.state === 'leased' && chunk.owner === owner;
  const ours = (isHeld && (chunk.epoch === grant.epoch || !epochChecked)) || !intentChecksChunk;
  const runs = isRunning(chunk.campaign, now) || !protections.intentChecksCampaign;
  const granted: number[] = [];
  const suppressed: number[] = [];
  for (const seq of seqs) {
    const row = chunk.rows[seq]!;
    const isSuppressed = row.suppressedAt <= now && protections.intentChecksSuppression;
    if (isUnsent(row) && ours && isSuppressed) {
      setDelivery(row, 'suppressed');
      suppressed.push(seq);
    } else if (isUnsent(row) && ours && runs) {
      setDelivery(row, 'attempting');
      row.epoch = grant.epoch;
      row.attempts++;
      granted.push(seq);
    } else if (row.state === 'attempting' && row.epoch === grant.epoch) granted.push(seq);
  }
  if (granted.length + suppressed.length === seqs.length) return { granted, suppressed };
  return { granted, suppressed, stop: findStop(chunk, ours, now) };
}

function findStop(chunk: Chunk, ours: boolean, now: number): NonNullable<IntentResult['stop']> {
  const { campaign } = chunk;
  if (!ours) return 'lost';
  if (campaign.state !== 'sending') return 'stopped';
  if (campaign.pausedAt !== null) return 'paused';
  return campaign.deadlineAt <= now ? 'expired' : 'gone';
}

/** S4. */
export function recordResults(
  chunk: Chunk,
  grant: Grant,
  results: readonly Result[],
  now: number,
  { protections }: StatementRules,
): void {
  for (const result of results) {
    const row = chunk.rows[result.seq]!;
    const isOpen = row.state === 'attempting' || row.state === 'in_doubt';
    if (!isOpen || (row.epoch !== grant.epoch && protections.outcomeChecksEpoch)) continue;
    setDelivery(row, result.state);
    row.outcomeAt = now;
    row.nextAttemptAt = now + retryIn(result, row.attempts);
    if (result.state === 'pending' || result.isAttemptFree) row.attempts = Math.max(0, row.attempts - 1);
  }
}

function retryIn({ retryInMs = 0, backsOff = false }: Result, attempts: number): number {
  return backsOff ? Math.min(retryInMs * 2 ** (Math.min(attempts, 20) - 1), longestRetryMs) : retryInMs;
}

/** S5. */
export function endGrant(
  chunk: Chunk,
  grant: Grant,
  { owner, holdMs }: { readonly owner: string; readonly holdMs: number },
  now: number,
  rules: StatementRules,
): void {
  if (!isOurs(chunk, grant, owner)) {
    recountLocked(chunk, now, rules);
    return;
  }
  if (rules.protections.doubtAtEnd) doubtAttempts(chunk, now);
  const crashes = afterProgress(chunk.crashes);
  requeue(chunk, now, { epoch: chunk.epoch, crashes, holdMs, laneHoldMs: holdMs }, rules);
}

/** Attempts without a result are in doubt; answers how many. */
export function doubtAttempts(chunk: Chunk, now: number): number {
  let doubted = 0;
  for (const row of chunk.rows) {
    if (row.state !== 'attempting') continue;
    setDelivery(row, 'in_doubt');
    row.outcomeAt = now;
    doubted++;
  }
  return doubted;
}

function isOurs(chunk: Chunk, grant: Grant, owner: string): boolean {
  return chunk.state === 'leased' && chunk.epoch === grant.epoch && chunk.owner === owner;
}

function isUnsent(row: Delivery): boolean {
  return row.state === 'pending' || row.state === 'deferred';
}

function isDue(row: Delivery, now: number): boolean {
  return row.state === 'pending' || (row.state === 'deferred' && row.nextAttemptAt <= now);
}
