/**
 * S3, the intent: `attempting` is committed before the first byte of a message may leave.
 *
 * The statement itself checks, in the database, that the chunk is still ours at this epoch, that its campaign runs and
 * is not paused or past its deadline, and that the address is not suppressed. The joined chunk and campaign rows are share-locked until its
 * commit, so that a takeover or a pause waits for it and nothing slips between. If we die after it,
 * the rows are `attempting` and become in_doubt when the lease is over: never silently pending.
 */
import { suppressionsOf } from '../audience/suppression-scopes.ts';
import type { Sql } from '../platform/mysql.ts';
import { campaignRuns } from './campaign-runs.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { chunkStates, deliveryStates } from './states.ts';

/** Most rows in one intent: what a crash may leave in doubt is bounded by it. */
export const largestIntent = 64;

export interface IntentRequest {
  readonly grant: Grant;
  readonly owner: string;
  /** At most `largestIntent`. */
  readonly seqs: readonly number[];
  /** The campaign's: whoever has left all of hers among them is suppressed, as is who is suppressed for everything. */
  readonly includedLists: readonly number[];
}

export interface IntentResult {
  /** Proven ours and `attempting`: these may be sent. */
  readonly granted: readonly number[];
  /** Turned `suppressed` instead. */
  readonly suppressed: readonly number[];
  /** Why the others may not be sent, hence why the grant must end. */
  readonly stop?: 'lost' | 'paused' | 'stopped' | 'expired' | 'gone';
}

const ours = `c.state = ${chunkStates.leased} AND c.epoch = ? AND c.owner = ?`;
const unsent = `d.state IN (${deliveryStates.pending}, ${deliveryStates.deferred})`;
const runs = campaignRuns('m');
const rowsOf = `d.${chunkWhere.replaceAll(' AND ', ' AND d.')} AND d.seq IN (?)`;
const joinChunk = `JOIN chunks c ON c.tenant_id = d.tenant_id AND c.campaign_id = d.campaign_id
    AND c.chunk_no = d.chunk_no AND c.part = d.part`;
const joinCampaign = 'JOIN campaigns m ON m.tenant_id = d.tenant_id AND m.id = d.campaign_id';
const recipient = { tenantId: 'd.tenant_id', profileId: 'd.profile_id', addressHash: 'd.address_hash' };

/** Good with and without a transaction: each statement checks by itself, and what is granted is read again. */
export async function recordIntent(tx: Sql, request: IntentRequest): Promise<IntentResult> {
  const { grant, owner, seqs } = request;
  const suppressions = suppressionsOf(recipient, request);
  const { affectedRows } = await tx.write(
    `UPDATE deliveries d ${joinChunk} ${joinCampaign}
     LEFT JOIN suppressions s ON ${suppressions.condition}
     SET d.state = ${deliveryStates.attempting}, d.epoch = ?, d.attempts = LEAST(d.attempts + 1, 255)
     WHERE ${rowsOf} AND ${unsent} AND ${ours} AND ${runs} AND s.tenant_id IS NULL`,
    [...suppressions.values, grant.epoch, ...chunkValues(grant), seqs, grant.epoch, owner],
  );
  if (affectedRows === seqs.length) return { granted: seqs, suppressed: [] };
  return explainShortfall(tx, request);
}

/** Fewer rows than asked: read them again, send only what is proven ours, and find out about the rest. */
async function explainShortfall(tx: Sql, request: IntentRequest): Promise<IntentResult> {
  const { grant, seqs } = request;
  const suppressed = await markSuppressed(tx, request);
  const rows = await tx.rows<{ seq: number }>(
    `SELECT d.seq FROM deliveries d WHERE ${rowsOf} AND d.state = ${deliveryStates.attempting} AND d.epoch = ?`,
    [...chunkValues(grant), seqs, grant.epoch],
  );
  const granted = rows.map((row) => row.seq);
  if (granted.length + suppressed.length === seqs.length) return { granted, suppressed };
  return { granted, suppressed, stop: await findStop(tx, request) };
}

async function markSuppressed(tx: Sql, request: IntentRequest): Promise<readonly number[]> {
  const { grant, owner, seqs } = request;
  const suppressions = suppressionsOf(recipient, request);
  const rows = await tx.rows<{ seq: number; reason: string }>(
    `SELECT d.seq, MIN(s.reason) AS reason FROM deliveries d ${joinChunk}
     JOIN suppressions s ON ${suppressions.condition}
     WHERE ${rowsOf} AND ${unsent} AND ${ours} GROUP BY d.seq`,
    [...suppressions.values, ...chunkValues(grant), seqs, grant.epoch, owner],
  );
  for (const reason of new Set(rows.map((row) => row.reason))) {
    const hit = rows.filter((row) => row.reason === reason).map((row) => row.seq);
    await tx.write(
      `UPDATE deliveries d ${joinChunk}
       SET d.state = ${deliveryStates.suppressed}, d.reason = ?, d.outcome_at = NOW(3)
       WHERE ${rowsOf} AND ${unsent} AND ${ours}`,
      [reason, ...chunkValues(grant), hit, grant.epoch, owner],
    );
  }
  return rows.map((row) => row.seq);
}

type StopRow = { ours: number; state: string; paused: number; expired: number };

async function findStop(
  tx: Sql,
  { grant, owner }: IntentRequest,
): Promise<NonNullable<IntentResult['stop']>> {
  const row = await tx.first<StopRow>(
    `SELECT ${ours} AS ours, m.state, m.paused_at IS NOT NULL AS paused, m.deadline_at <= NOW(3) AS expired
     FROM chunks c JOIN campaigns m ON m.tenant_id = c.tenant_id AND m.id = c.campaign_id
     WHERE c.${chunkWhere.replaceAll(' AND ', ' AND c.')}`,
    [grant.epoch, owner, ...chunkValues(grant)],
  );
  if (!row?.ours) return 'lost';
  if (!['expanding', 'sending'].includes(row.state)) return 'stopped';
  if (row.paused) return 'paused';
  // Running and ours, yet not granted: a row was settled by someone else (a cancelled sweep, a late bounce).
  return row.expired ? 'expired' : 'gone';
}
