/** The next chunks of the lanes that a pass looks into. Bounded by the shares. */
import { campaignRuns } from '../ledger/campaign-runs.ts';
import type { ChunkKey } from '../ledger/delivery-id.ts';
import { chunkStates } from '../ledger/states.ts';
import { toChunkKey } from '../ledger/takeover.ts';
import type { Sql } from '../platform/mysql.ts';
import type { Lane, Share } from './demand.ts';

/** A chunk that is due, and what its campaign, its sender and its rate say to that. */
export interface Candidate extends ChunkKey {
  readonly lane: Lane;
  readonly epoch: number;
  readonly sendable: number;
  readonly crashes: number;
  readonly size: number;
  /** It has nothing but deferred messages left. */
  readonly isRetry: boolean;
  readonly isRunning: boolean;
  /** ms for which its sending domain rests at this destination; 0: it doesn't. */
  readonly senderRestsMs: number;
  /** Its campaign goes no faster than so many messages a minute; null: no such limit. */
  readonly perMinute: number | null;
  /** ms since it was due. */
  readonly overdueMs: number;
}

type CandidateRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  part: number;
  destination_id: number;
  class: number;
  epoch: number;
  size: number;
  crashes: number;
  sendable: number;
  is_retry: number;
  is_running: number;
  per_minute: number | null;
  rests_ms: number | null;
  overdue_ms: number;
};

const sharesPerQuery = 20;
/** Chunks read for each share beyond what it needs, because some may be partly done or paused. */
const spareChunks = 4;

/** Fresh chunks and retries of each share's lane, each in order of their due time; as many of either as would fill the share. */
export async function readCandidates(sql: Sql, shares: readonly Share[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (let at = 0; at < shares.length; at += sharesPerQuery) {
    candidates.push(...(await readSome(sql, shares.slice(at, at + sharesPerQuery))));
  }
  return candidates;
}

/** By `by_lane`, forced: its range is what is due of the lane, in the order asked for. */
const dueChunks = `(SELECT tenant_id, campaign_id, chunk_no, part, destination_id, class, epoch, size, crashes, is_retry, due_at,
    n_pending + n_deferred AS sendable
  FROM chunks FORCE INDEX (by_lane)
  WHERE tenant_id = ? AND destination_id = ? AND class = ? AND state = ${chunkStates.pending} AND is_retry = ? AND due_at <= NOW(3)
  ORDER BY due_at LIMIT ?)`;

/** Campaigns and pauses are joined once, by their keys, and not within each part: that took three times as long. */
async function readSome(sql: Sql, shares: readonly Share[]): Promise<readonly Candidate[]> {
  const values = shares.flatMap(({ lane, messages }) =>
    [0, 1].flatMap((isRetry) => [
      ...[lane.tenantId, lane.destinationId, lane.class],
      ...[isRetry, Math.ceil(messages / 100) + spareChunks],
    ]),
  );
  const selects = shares.flatMap(() => [dueChunks, dueChunks]);
  const rows = await sql.rows<CandidateRow>(
    `SELECT c.*, m.per_minute, TIMESTAMPDIFF(MICROSECOND, c.due_at, NOW(3)) / 1000 AS overdue_ms,
       TIMESTAMPDIFF(MICROSECOND, NOW(3), p.until) / 1000 AS rests_ms,
       ${campaignRuns('m')} AS is_running
     FROM (${selects.join(' UNION ALL ')}) c
     JOIN campaigns m ON m.tenant_id = c.tenant_id AND m.id = c.campaign_id
     LEFT JOIN sender_pauses p ON p.tenant_id = c.tenant_id AND p.destination_id = c.destination_id
       AND p.domain = m.sending_domain AND p.until > NOW(3)`,
    values,
  );
  return rows.map(toCandidate).sort((a, b) => b.overdueMs - a.overdueMs);
}

function toCandidate(row: CandidateRow): Candidate {
  return {
    ...toChunkKey(row),
    lane: { tenantId: row.tenant_id, destinationId: row.destination_id, class: row.class },
    epoch: row.epoch,
    size: row.size,
    crashes: row.crashes,
    sendable: row.sendable,
    isRetry: row.is_retry === 1,
    isRunning: row.is_running === 1,
    senderRestsMs: row.rests_ms ?? 0,
    perMinute: row.per_minute,
    overdueMs: row.overdue_ms,
  };
}
