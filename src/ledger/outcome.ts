/**
 * S4, outcomes: what became of each attempt, in one statement for each kind of result, whatever each server said to each.
 *
 * Late truth is welcome: an outcome is taken while the row is attempting or in_doubt and still carries the writer's
 * epoch. Writing one twice changes nothing. If we die before it is written, the row is attempting and becomes in_doubt.
 */
import { groupBy } from '../platform/group-by.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { deliveryStates } from './states.ts';
import { valueBySeq } from './value-by-seq.ts';

/** What an attempt left in the ledger. */
export interface Result {
  readonly seq: number;
  /** `pending`: retracted, proven not transmitted; the attempt is not counted. */
  readonly state: 'sent' | 'bounced' | 'deferred' | 'in_doubt' | 'pending';
  /** 0 when there was no reply. */
  readonly replyCode: number;
  /** The reply's text or our own words; null for `sent`. */
  readonly reason: string | null;
  /** For `deferred`: how long to wait, ms from now by the database's clock. */
  readonly retryInMs?: number;
  /** Doubled for each attempt made before, up to `longestRetryMs`: set when the other side named no time itself. */
  readonly backsOff?: boolean;
  /** The refusal was about the destination, not the message: the attempt is not counted. */
  readonly isAttemptFree?: boolean;
  /** The address takes no mail: suppress it for the whole tenant in the same transaction. */
  readonly suppresses?: boolean;
}

/** Waits between attempts double up to this. */
export const longestRetryMs = 4 * 3_600_000;

/** At most `largestIntent` results: one statement holds all of a kind. */
export async function recordResults(tx: Sql, grant: Grant, results: readonly Result[]): Promise<void> {
  const groups = areAlike(results) ? [results] : groupBy(results, kindOf).values();
  for (const alike of groups) await writeAlike(tx, grant, alike);
  const dead = results.filter((result) => result.suppresses).map((result) => result.seq);
  if (dead.length > 0) await suppressAddresses(tx, grant, dead);
}

/** Do they all go in by one statement? Others belong together: a suppression to its bounce. */
export function isOneStatement(results: readonly Result[]): boolean {
  return areAlike(results) && !results.some((result) => result.suppresses);
}

/** Results that agree in these are of a kind, hence one statement: nearly always all of them, `sent`. Replies and waits may differ within it. */
const kind = ['state', 'backsOff', 'isAttemptFree'] as const;

function areAlike([first, ...others]: readonly Result[]): boolean {
  if (!first) return false;
  return others.every((result) => kind.every((field) => result[field] === first[field]));
}

function kindOf(result: Result): string {
  return JSON.stringify(kind.map((field) => result[field]));
}

/**
 * `next_attempt_at` is set before `attempts`: assignments run left to right. What is sent gets nothing that it had as NULL: its row stays as long as
 * it was, and where it was.
 */
async function writeAlike(tx: Sql, grant: Grant, alike: readonly Result[]): Promise<void> {
  const [first] = alike as [Result];
  const isFree = first.state === 'pending' || first.isAttemptFree;
  const replyCode = valueBySeq(alike, (result) => result.replyCode);
  const reason = valueBySeq(alike, (result) => result.reason);
  const retryIn = valueBySeq(alike, retryInMicros);
  const wait = first.backsOff
    ? `LEAST(${retryIn.sql} * POW(2, LEAST(attempts, 20) - 1), ${longestRetryMs * 1000})`
    : retryIn.sql;
  await tx.write(
    `UPDATE deliveries SET state = ?, reply_code = ${replyCode.sql}, reason = ${reason.sql}, outcome_at = NOW(3),
       next_attempt_at = NOW(3) + INTERVAL ${wait} MICROSECOND ${isFree ? ', attempts = attempts - (attempts > 0)' : ''}
     WHERE ${chunkWhere} AND seq IN (?)
       AND state IN (${deliveryStates.attempting}, ${deliveryStates.in_doubt}) AND epoch = ?`,
    [
      ...[deliveryStates[first.state], ...replyCode.values, ...reason.values, ...retryIn.values],
      ...chunkValues(grant),
      alike.map((result) => result.seq),
      grant.epoch,
    ],
  );
}

function retryInMicros({ retryInMs }: Result): number | null {
  return retryInMs === undefined ? null : Math.round(retryInMs * 1000);
}

async function suppressAddresses(tx: Sql, grant: Grant, seqs: readonly number[]): Promise<void> {
  await tx.write(
    `INSERT IGNORE INTO suppressions (tenant_id, address_hash, scope, reason, source, at)
     SELECT tenant_id, address_hash, '*', 'hard_bounce', 'reply', NOW(3) FROM deliveries
     WHERE ${chunkWhere} AND seq IN (?) AND state = ${deliveryStates.bounced}`,
    [...chunkValues(grant), seqs],
  );
}

/**
 * Render's one write: these can't be rendered: at least one, at most a chunk's worth. Through the fence: only while the chunk is dispatched or leased at this epoch.
 * One statement, for a reason may quote the recipient's own data.
 */
export async function recordSkipped(
  tx: Sql,
  grant: Grant,
  skipped: readonly { readonly seq: number; readonly reason: string }[],
): Promise<void> {
  const reason = valueBySeq(skipped, (entry) => entry.reason.slice(0, 240), 'd.seq');
  await tx.write(
    `UPDATE deliveries d JOIN chunks c ON c.tenant_id = d.tenant_id AND c.campaign_id = d.campaign_id
       AND c.chunk_no = d.chunk_no AND c.part = d.part
     SET d.state = ${deliveryStates.skipped}, d.reason = ${reason.sql}, d.outcome_at = NOW(3)
     WHERE d.${chunkWhere.replaceAll(' AND ', ' AND d.')} AND d.seq IN (?)
       AND d.state IN (${deliveryStates.pending}, ${deliveryStates.deferred}) AND c.epoch = ? AND c.state IN (1, 2)`,
    [...reason.values, ...chunkValues(grant), skipped.map((entry) => entry.seq), grant.epoch],
  );
}

/** Skips the one message that was fatal even alone, and ends the search for it. */
export function recordPoison(db: Database, grant: Grant, seq: number): Promise<void> {
  return db.transaction(async (tx) => {
    await recordSkipped(tx, grant, [{ seq, reason: 'poison' }]);
    await tx.write(`UPDATE chunks FORCE INDEX (PRIMARY) SET crashes = 0 WHERE ${chunkWhere} AND epoch = ?`, [
      ...chunkValues(grant),
      grant.epoch,
    ]);
  });
}
