/** A tenant's lanes, with their destinations. */
import type { TenantId } from '../ids.ts';
import { type DeliveryClass, deliveryClassName } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import {
  type DestinationRow,
  destinationColumns,
  type StoredDestination,
  toDestination,
} from './destination-store.ts';

export interface StoredLane {
  readonly destination: StoredDestination;
  readonly classCode: number;
  readonly class: DeliveryClass;
  /** When the dispatcher looks at it next; null: it has nothing that will be due. */
  readonly nextDueAt: Date | null;
  readonly weight: number;
}

export interface LanePage {
  /** The last one that was shown. */
  readonly afterDestinationId: number;
  readonly afterClass: number;
  readonly limit: number;
}

/** In order of their primary key, from which a page is read. The weight is the tenant's own: the lane's copy may be older. */
export async function listLanes(
  sql: Sql,
  tenantId: TenantId,
  { afterDestinationId, afterClass, limit }: LanePage,
): Promise<StoredLane[]> {
  const rows = await sql.rows<LaneRow>(
    `SELECT ${destinationColumns}, l.class, l.next_due_at AS nextDueAt, n.weight
     FROM lanes l JOIN destinations d ON d.id = l.destination_id JOIN transports t ON t.id = d.transport_id
       JOIN tenants n ON n.id = l.tenant_id
     WHERE l.tenant_id = ? AND l.destination_id >= ? AND (l.destination_id > ? OR l.class > ?) AND t.deleted_at IS NULL
     ORDER BY l.destination_id, l.class LIMIT ?`,
    [tenantId, afterDestinationId, afterDestinationId, afterClass, limit],
  );
  return rows.map(toLane);
}

export interface LaneTurn {
  readonly destinationId: number;
  readonly class: number;
  readonly nextDueAt: Date | null;
}

/** The tenant's lanes at those destinations: three at most of each. */
export function readLaneTurns(
  sql: Sql,
  tenantId: TenantId,
  destinationIds: readonly number[],
): Promise<LaneTurn[]> {
  if (destinationIds.length === 0) return Promise.resolve([]);
  return sql.rows(
    `SELECT destination_id AS destinationId, class, next_due_at AS nextDueAt FROM lanes
     WHERE tenant_id = ? AND destination_id IN (?)`,
    [tenantId, destinationIds],
  );
}

/** Over all tenants, by destination: when a lane is due next. A step of `by_destination` for each destination and class. */
export async function readNextTurns(
  sql: Sql,
  destinationIds: readonly number[],
): Promise<ReadonlyMap<number, Date>> {
  if (destinationIds.length === 0) return new Map();
  const rows = await sql.rows<{ id: number; nextDueAt: Date | null }>(
    `SELECT destination_id AS id, class, MIN(next_due_at) AS nextDueAt FROM lanes
     WHERE destination_id IN (?) GROUP BY destination_id, class`,
    [destinationIds],
  );
  const next = new Map<number, Date>();
  for (const { id, nextDueAt } of rows) {
    const known = next.get(id);
    if (nextDueAt && (!known || nextDueAt < known)) next.set(id, nextDueAt);
  }
  return next;
}

type LaneRow = DestinationRow & {
  readonly class: number;
  readonly nextDueAt: Date | null;
  readonly weight: number;
};

function toLane(row: LaneRow): StoredLane {
  const { class: classCode, nextDueAt, weight } = row;
  return {
    destination: toDestination(row),
    ...{ classCode, class: deliveryClassName(classCode), nextDueAt, weight },
  };
}
