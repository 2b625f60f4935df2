/** Names of destinations to their ids, made on first sight. The pairs never change, so they are cached for good (bounded by providers). */
import type { Sql } from '../platform/mysql.ts';

export interface DestinationIds {
  idOf(transportId: number, name: string): Promise<number>;
}

export function createDestinationIds(sql: Sql): DestinationIds {
  const known = new Map<string, number>();

  return {
    async idOf(transportId, name) {
      const key = `${transportId}/${name}`;
      const id = known.get(key) ?? (await findOrInsert(sql, transportId, name));
      known.set(key, id);
      return id;
    },
  };
}

async function findOrInsert(sql: Sql, transportId: number, name: string): Promise<number> {
  const found = await find(sql, transportId, name);
  if (found !== undefined) return found;
  await sql.write('INSERT IGNORE INTO destinations (transport_id, name) VALUES (?, ?)', [transportId, name]);
  return (await find(sql, transportId, name)) as number;
}

async function find(sql: Sql, transportId: number, name: string): Promise<number | undefined> {
  const row = await sql.first<{ id: number }>(
    'SELECT id FROM destinations WHERE transport_id = ? AND name = ?',
    [transportId, name],
  );
  return row?.id;
}
