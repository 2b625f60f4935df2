/** Today's attempts, as the ends of grants count them for quotas. */
import type { Sql } from '../platform/mysql.ts';

export interface Attempts {
  readonly byDestination: ReadonlyMap<number, number>;
  readonly byTransport: ReadonlyMap<number, number>;
}

/** Of all destinations of those transports on `day` (`YYYY-MM-DD`, UTC): as many rows as the transports have destinations. */
export async function readAttempts(
  sql: Sql,
  transportIds: readonly number[],
  day: string,
): Promise<Attempts> {
  const byDestination = new Map<number, number>();
  const byTransport = new Map<number, number>();
  if (transportIds.length === 0) return { byDestination, byTransport };
  const rows = await sql.rows<{ id: number; transportId: number; attempts: number }>(
    `SELECT d.id, d.transport_id AS transportId, a.attempts FROM destinations d
       JOIN destination_days a ON a.destination_id = d.id AND a.day = ?
     WHERE d.transport_id IN (?)`,
    [day, transportIds],
  );
  for (const { id, transportId, attempts } of rows) {
    byDestination.set(id, attempts);
    byTransport.set(transportId, (byTransport.get(transportId) ?? 0) + attempts);
  }
  return { byDestination, byTransport };
}
