/**
 * Where a campaign's messages wait, by destination, from its chunks. Bounded: of a campaign with more than 5,000 pending chunks (2.5 million messages) the
 * first and the last 2,500 by number are read, because what a slow destination holds is found among the first and what is yet to come among the last.
 */
import type { CampaignKey } from '../campaigns/campaign.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';

export interface WaitingPart {
  readonly destinationId: number;
  /** Pending, or deferred and due, or under way. */
  readonly ready: number;
  /** Deferred and not due. */
  readonly retrying: number;
  /** ms until the first of those is. */
  readonly retryInMs: number;
}

export interface WaitingSample {
  readonly parts: readonly WaitingPart[];
  /** It is all that there is. */
  readonly isWhole: boolean;
}

interface Row extends WaitingPart {
  readonly chunks: number;
  readonly lastChunkNo: number;
}

const chunksAtEachEnd = 2_500;
/** Dispatched or leased: windows bound them well below. */
const mostOutstanding = 5_000;
/** Further off than any retry: parked until something happens to its campaign. */
const parkedMs = 365 * 86_400_000;

export async function readWaiting(
  sql: Sql,
  key: CampaignKey,
  part: number,
  chunksAtEnd = chunksAtEachEnd,
): Promise<WaitingSample> {
  const first = await readSome(sql, [key.tenantId, key.id, part, -1, chunksAtEnd], fromFirst);
  const held = await readSome(sql, [key.tenantId, key.id, part, -1, mostOutstanding], outstanding);
  const isWhole = first.reduce((sum, { chunks }) => sum + chunks, 0) < chunksAtEnd;
  if (isWhole) return { parts: mergeParts([...first, ...held]), isWhole };
  const seenUpTo = Math.max(...first.map(({ lastChunkNo }) => lastChunkNo));
  const last = await readSome(sql, [key.tenantId, key.id, part, seenUpTo, chunksAtEnd], fromLast);
  return { parts: mergeParts([...first, ...last, ...held]), isWhole: last.length === 0 };
}

/**
 * In the order of `by_campaign`, one partition of it, whose entries of one count of doubts lie in order of their numbers: nothing is sorted (asked for by
 * number, MariaDB sorts all that is pending), and nothing read that is done. A row by key for each.
 */
const fromFirst = `c.state = ${chunkStates.pending} AND c.chunk_no > ? ORDER BY c.n_in_doubt`;
const fromLast = `c.state = ${chunkStates.pending} AND c.chunk_no > ? ORDER BY c.n_in_doubt DESC`;
const outstanding = `c.state IN (${chunkStates.dispatched}, ${chunkStates.leased}) AND c.chunk_no > ?`;

function readSome(sql: Sql, values: readonly number[], which: string): Promise<Row[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, COUNT(*) AS chunks, MAX(chunk_no) AS lastChunkNo,
       SUM(n_pending + IF(is_later, 0, n_deferred)) AS ready, SUM(IF(is_later, n_deferred, 0)) AS retrying,
       COALESCE(MIN(IF(is_later AND n_deferred > 0 AND due_in_ms < ${parkedMs}, due_in_ms, NULL)), 0) AS retryInMs
     FROM (SELECT c.destination_id, c.chunk_no, c.n_pending, c.n_deferred,
         c.state = ${chunkStates.pending} AND c.is_retry = 1 AND c.due_at > NOW(3) AS is_later,
         TIMESTAMPDIFF(MICROSECOND, NOW(3), c.due_at) / 1000 AS due_in_ms
       FROM chunks c FORCE INDEX (by_campaign)
       WHERE c.tenant_id = ? AND c.campaign_id = ? AND c.part = ? AND ${which} LIMIT ?) some GROUP BY destination_id`,
    values,
  );
}

function mergeParts(parts: readonly WaitingPart[]): readonly WaitingPart[] {
  const merged = new Map<number, WaitingPart>();
  for (const part of parts) {
    const known = merged.get(part.destinationId);
    merged.set(part.destinationId, known ? addPart(known, part) : part);
  }
  return [...merged.values()];
}

function addPart(a: WaitingPart, b: WaitingPart): WaitingPart {
  const waits = [a, b].filter(({ retrying }) => retrying > 0).map(({ retryInMs }) => retryInMs);
  return {
    destinationId: a.destinationId,
    ready: a.ready + b.ready,
    retrying: a.retrying + b.retrying,
    retryInMs: waits.length > 0 ? Math.min(...waits) : 0,
  };
}

/** The sample's parts as parts of what the campaign's counters say is pending. */
export function scaleParts({ parts, isWhole }: WaitingSample, pending: number): readonly WaitingPart[] {
  const sampled = parts.reduce((sum, { ready, retrying }) => sum + ready + retrying, 0);
  if (isWhole || sampled === 0) return parts;
  const scale = Math.max(1, pending / sampled);
  return parts.map((part) => ({
    ...part,
    ready: Math.round(part.ready * scale),
    retrying: Math.round(part.retrying * scale),
  }));
}
