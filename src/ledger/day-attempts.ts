/**
 * Attempts by destination and UTC day, for quotas and warm-ups. Counted where a grant ends, in its transaction (S5 or S6): each epoch ends once, and the
 * rows keep the epoch they were attempted at. So nothing is counted twice or missed, whoever dies, and a late outcome changes no count.
 */
import type { Sql } from '../platform/mysql.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { deliveryStates } from './states.ts';

/** Whether the destination's attempts have to be counted: one row per destination and day is hot, so those without a quota have none. */
export type IsCounted = (destinationId: number) => boolean;

const { sent, bounced, deferred, in_doubt } = deliveryStates;

/**
 * Adds what was attempted at the grant's epoch to the day's count: what was refused or is in doubt as well, as the other side has seen it. What was
 * retracted is pending and isn't. Its row is locked until the commit, so this is a transaction's last statement. Rows by key, at most 500.
 */
export async function countAttempts(tx: Sql, grant: Omit<Grant, 'n'>, destinationId: number): Promise<void> {
  const row = await tx.first<{ attempts: number }>(
    `SELECT COUNT(*) AS attempts FROM deliveries
     WHERE ${chunkWhere} AND epoch = ? AND state IN (${sent}, ${bounced}, ${deferred}, ${in_doubt})`,
    [...chunkValues(grant), grant.epoch],
  );
  if (!row || row.attempts === 0) return;
  await tx.write(
    `INSERT INTO destination_days (destination_id, day, attempts) VALUES (?, UTC_DATE(), ?)
     ON DUPLICATE KEY UPDATE attempts = attempts + VALUES(attempts)`,
    [destinationId, row.attempts],
  );
}
