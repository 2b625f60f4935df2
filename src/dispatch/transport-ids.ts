/** Destinations to their transports. The pairs never change, so they are cached for good. */
import type { Sql } from '../platform/mysql.ts';

export interface TransportIds {
  of(destinationIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

export function createTransportIds(sql: Sql): TransportIds {
  const known = new Map<number, number>();

  return {
    async of(destinationIds) {
      const missing = [...new Set(destinationIds)].filter((id) => !known.has(id));
      if (missing.length > 0) {
        const rows = await sql.rows<{ id: number; transport_id: number }>(
          'SELECT id, transport_id FROM destinations WHERE id IN (?)',
          [missing],
        );
        for (const row of rows) known.set(row.id, row.transport_id);
      }
      return known;
    },
  };
}
