/**
 * Expansion: one page of a campaign's audience becomes chunks and deliveries, in one transaction that compares and
 * sets the campaign's cursor. If we die before its commit, nothing happened; a second scheduler on the same page loses the comparison.
 *
 * The campaign's row is written last: intents share-lock it, so holding it through a page would stop the sending.
 * Locks: new chunks and deliveries, counter slots in order, lanes in order, the campaign.
 */

import { allCounts, counterSlots } from '../ledger/recount.ts';
import { chunkStates } from '../ledger/states.ts';
import { type Database, isDuplicateKey, type Sql } from '../platform/mysql.ts';
import { type Audience, readAudiencePage } from './audience-page.ts';
import { dueByRate } from './due-by-rate.ts';
import { domainOf, type PlannedChunk, planChunks } from './plan-chunks.ts';

export interface ExpandingCampaign {
  readonly tenantId: number;
  readonly id: number;
  readonly part: number;
  readonly class: number;
  readonly cursor: number;
  readonly nextChunkNo: number;
  readonly audience: Audience;
  /** No faster than so many messages a minute; null: no such limit. */
  readonly perMinute: number | null;
}

export interface Destinations {
  /** Called with all domains of a page before `nameOf` is. Bounded, and never throws. */
  prepare?(domains: Iterable<string>): Promise<void>;
  nameOf(domain: string): string;
  idOf(name: string): Promise<number>;
}

export const pageSize = 5_000;
/** Small, so that sending begins while the rest is being expanded. */
export const firstPageSize = 1_000;
const rowsPerInsert = 1_000;

/** Expands one page; answers how many recipients, and whether it was the last. Undefined: another scheduler did it. */
export async function expandPage(
  db: Database,
  campaign: ExpandingCampaign,
  destinations: Destinations,
): Promise<{ readonly recipients: number; readonly isLast: boolean } | undefined> {
  const size = campaign.cursor === 0 ? firstPageSize : pageSize;
  const page = await readAudiencePage(db, campaign.tenantId, campaign.audience, campaign.cursor, size);
  await destinations.prepare?.(page.profiles.map(({ email }) => domainOf(email)));
  const chunks = planChunks(page.profiles, destinations.nameOf, campaign.nextChunkNo);
  const ids = await resolveDestinations(chunks, destinations);
  const dueInMs = await spreadChunks(db, campaign, chunks);
  try {
    await db.transaction(async (tx) => {
      if (chunks.length > 0) await insertPage(tx, campaign, { chunks, ids, dueInMs });
      await advanceCursor(tx, campaign, chunks.length, page.nextCursor);
    });
  } catch (error) {
    // The other scheduler inserted the same chunks, or moved the cursor: its page stands, ours is rolled back.
    if (error instanceof LostPage || isDuplicateKey(error)) return undefined;
    throw error;
  }
  return { recipients: page.profiles.length, isLast: page.nextCursor === undefined };
}

/** What came before is what was expanded before: counted, not remembered, so that another scheduler goes on alike. */
async function spreadChunks(
  sql: Sql,
  { tenantId, id, perMinute }: ExpandingCampaign,
  chunks: readonly PlannedChunk[],
): Promise<readonly number[]> {
  if (perMinute === null) return chunks.map(() => 0);
  const row = await sql.first<{ expanded: number | null; running_ms: number | null }>(
    `SELECT (SELECT SUM(${allCounts}) FROM campaign_counters WHERE tenant_id = ? AND campaign_id = ?) AS expanded,
       TIMESTAMPDIFF(MICROSECOND, started_at, NOW(3)) / 1000 AS running_ms
     FROM campaigns WHERE tenant_id = ? AND id = ?`,
    [tenantId, id, tenantId, id],
  );
  const sizes = chunks.map((chunk) => chunk.profiles.length);
  return dueByRate(sizes, { perMinute, before: row?.expanded ?? 0, runningMs: row?.running_ms ?? 0 });
}

async function resolveDestinations(
  chunks: readonly PlannedChunk[],
  destinations: Destinations,
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const { destination } of chunks) {
    if (!ids.has(destination)) ids.set(destination, await destinations.idOf(destination));
  }
  return ids;
}

interface PlannedPage {
  readonly chunks: readonly PlannedChunk[];
  readonly ids: ReadonlyMap<string, number>;
  /** When each is due, ms from now. */
  readonly dueInMs: readonly number[];
}

async function insertPage(tx: Sql, campaign: ExpandingCampaign, page: PlannedPage): Promise<void> {
  const { chunks, ids } = page;
  await insertChunks(tx, campaign, page);
  await insertDeliveries(tx, campaign, chunks);
  await addToCounters(tx, campaign, chunks);
  await wakeLanes(
    tx,
    campaign,
    [...new Set(ids.values())].sort((a, b) => a - b),
  );
}

async function insertChunks(
  tx: Sql,
  campaign: ExpandingCampaign,
  { chunks, ids, dueInMs }: PlannedPage,
): Promise<void> {
  const { tenantId, id, part, class: deliveryClass } = campaign;
  const row = `(?, ?, ?, ?, ?, ?, ${chunkStates.pending}, NOW(3) + INTERVAL ? MICROSECOND, ?, ?)`;
  await tx.write(
    `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, state, due_at, size, n_pending)
     VALUES ${chunks.map(() => row).join(', ')}`,
    chunks.flatMap(({ chunkNo, destination, profiles }, i) => [
      ...[tenantId, id, chunkNo, part],
      ...[ids.get(destination), deliveryClass],
      Math.round((dueInMs[i] ?? 0) * 1_000),
      ...[profiles.length, profiles.length],
    ]),
  );
}

async function insertDeliveries(
  tx: Sql,
  campaign: ExpandingCampaign,
  chunks: readonly PlannedChunk[],
): Promise<void> {
  const { tenantId, id, part } = campaign;
  const rows = chunks.flatMap(({ chunkNo, profiles }) =>
    profiles.map((profile, seq) => [tenantId, id, chunkNo, seq, part, profile.id, profile.emailHash]),
  );
  for (let at = 0; at < rows.length; at += rowsPerInsert) {
    await tx.write(
      'INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash) VALUES ?',
      [rows.slice(at, at + rowsPerInsert)],
    );
  }
}

async function addToCounters(
  tx: Sql,
  campaign: ExpandingCampaign,
  chunks: readonly PlannedChunk[],
): Promise<void> {
  for (let slot = 0; slot < counterSlots; slot++) {
    const added = chunks.filter((chunk) => chunk.chunkNo % counterSlots === slot);
    const recipients = added.reduce((sum, chunk) => sum + chunk.profiles.length, 0);
    if (recipients === 0) continue;
    await tx.write(
      'UPDATE campaign_counters SET n_pending = n_pending + ? WHERE tenant_id = ? AND campaign_id = ? AND slot = ?',
      [recipients, campaign.tenantId, campaign.id, slot],
    );
  }
}

async function wakeLanes(
  tx: Sql,
  campaign: ExpandingCampaign,
  destinationIds: readonly number[],
): Promise<void> {
  await tx.write(
    `INSERT INTO lanes (tenant_id, destination_id, class, next_due_at)
     VALUES ${destinationIds.map(() => '(?, ?, ?, NOW(3))').join(', ')}
     ON DUPLICATE KEY UPDATE next_due_at = LEAST(COALESCE(next_due_at, VALUES(next_due_at)), VALUES(next_due_at))`,
    destinationIds.flatMap((destinationId) => [campaign.tenantId, destinationId, campaign.class]),
  );
}

async function advanceCursor(
  tx: Sql,
  campaign: ExpandingCampaign,
  addedChunks: number,
  nextCursor: number | undefined,
): Promise<void> {
  const isLast = nextCursor === undefined;
  const { affectedRows } = await tx.write(
    `UPDATE campaigns FORCE INDEX (PRIMARY) SET expansion_cursor = ?, next_chunk_no = next_chunk_no + ?, expansion_done = ?,
       state = ${isLast ? "'sending'" : 'state'}, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ? AND state = 'expanding' AND expansion_cursor = ? AND expansion_done = 0`,
    [nextCursor ?? campaign.cursor, addedChunks, isLast, campaign.tenantId, campaign.id, campaign.cursor],
  );
  if (affectedRows !== 1) throw new LostPage();
}

/** Rolls the page back: the campaign was cancelled or paused, or another scheduler was faster. */
class LostPage extends Error {}
