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
  /** What the same chunks hold beyond their grants: it waits for the next one, and is part of the backlog. */
  readonly fresh: number;
  readonly retry: number;
}

const beyondGrant = 'GREATEST(0, n_pending + n_deferred - grant_n)';
const sums = `SUM(grant_n) AS messages, SUM(IF(is_retry = 0, ${beyondGrant}, 0)) AS fresh,
  SUM(IF(is_retry = 0, 0, ${beyondGrant})) AS retry`;

/** A tenant's, by lane. */
export function readOutstandingOf(sql: Sql, tenantId: TenantId): Promise<OutstandingMessages[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, class, ${sums} FROM chunks FORCE INDEX (by_lease)
     WHERE ${isOutstanding} AND tenant_id = ? GROUP BY destination_id, class`,
    [tenantId],
  );
}

/** Every tenant's together. */
export function readAllOutstanding(sql: Sql): Promise<OutstandingMessages[]> {
  return sql.rows(
    `SELECT destination_id AS destinationId, class, ${sums} FROM chunks FORCE INDEX (by_lease)
     WHERE ${isOutstanding} GROUP BY destination_id, class`,
  );
}

/** Of one destination, or of one of its classes. */
export function addOutstanding(
  outstanding: readonly OutstandingMessages[],
  destinationId: number,
  deliveryClass?: number,
): Pick<OutstandingMessages, 'messages' | 'fresh' | 'retry'> {
  const isMeant = (one: OutstandingMessages) =>
    one.destinationId === destinationId && (deliveryClass === undefined || one.class === deliveryClass);
  return outstanding.filter(isMeant).reduce(
    (sum, { messages, fresh, retry }) => ({
      messages: sum.messages + messages,
      fresh: sum.fresh + fresh,
      retry: sum.retry + retry,
    }),
    { messages: 0, fresh: 0, retry: 0 },
  );
}
