/**
 * What is dispatched and not yet settled, in messages. Read by `by_lease`, index condition first: it costs the chunks that the fleet has outstanding, which
 * DISPATCH_TOTAL_MESSAGES bounds.
 */
import type { TenantId } from '../ids.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';

const isOutstanding = `state IN (${chunkStates.dispatched}, ${chunkStates.leased})`;

export interface OutstandingMessages {
  readonly destinationId: number;
  readonly class: number;
  readonly messages: number;
}

/** A tenant's, by lane. */
export function readOutstandingOf(sql: Sql, tenantId: TenantId): Promise<OutstandingMessages[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, class, SUM(grant_n) AS messages FROM chunks FORCE INDEX (by_lease)
     WHERE ${isOutstanding} AND tenant_id = ? GROUP BY destination_id, class`,
    [tenantId],
  );
}

/** Every tenant's together. */
export function readAllOutstanding(sql: Sql): Promise<OutstandingMessages[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, class, SUM(grant_n) AS messages FROM chunks FORCE INDEX (by_lease)
     WHERE ${isOutstanding} GROUP BY destination_id, class`,
  );
}
