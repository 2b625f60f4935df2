/** Destinations with what holds for them, and how much was attempted at them today. For the leader and the workers, which serve all tenants. */
import type { Sql } from '../platform/mysql.ts';
import type { DestinationMode } from '../transports/destination-key.ts';
import { type TransportLimits, transportLimits } from '../transports/smtp-settings.ts';
import type { DayAttempts } from './share-quotas.ts';

export interface StoredDestination {
  readonly id: number;
  readonly transportId: number;
  readonly name: string;
  readonly mode: DestinationMode;
  readonly limits: TransportLimits;
  /** Of the transport. */
  readonly version: number;
}

/** By primary keys. */
export async function readDestinations(
  sql: Sql,
  ids: readonly number[],
): Promise<ReadonlyMap<number, StoredDestination>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.rows<Omit<StoredDestination, 'limits'> & { readonly limits: string }>(
    `SELECT d.id, d.transport_id AS transportId, d.name, t.destination_mode AS mode, t.limits, t.version
     FROM destinations d JOIN transports t ON t.id = d.transport_id WHERE d.id IN (?) AND t.deleted_at IS NULL`,
    [ids],
  );
  return new Map(
    rows.map((row) => [row.id, { ...row, limits: transportLimits.parse(JSON.parse(row.limits)) }]),
  );
}

/** Of today, by the database's clock: UTC days begin there for all. By `by_name` and the primary key. */
export async function readDayAttempts(
  sql: Sql,
  transportIds: readonly number[],
): Promise<{ readonly day: string; readonly attempts: readonly DayAttempts[] }> {
  const rows = await sql.rows<{ day: string } & (DayAttempts | { destinationId: null })>(
    `SELECT t.day, a.destinationId, a.transportId, a.attempts
     FROM (SELECT DATE_FORMAT(UTC_DATE(), '%Y-%m-%d') AS day) t
     LEFT JOIN (SELECT n.destination_id AS destinationId, d.transport_id AS transportId, n.attempts
       FROM destinations d JOIN destination_days n ON n.destination_id = d.id AND n.day = UTC_DATE()
       WHERE d.transport_id IN (?)) a ON 1 = 1`,
    [transportIds],
  );
  const attempts = rows.filter((row): row is { day: string } & DayAttempts => row.destinationId !== null);
  return { day: rows[0]?.day ?? '', attempts };
}
