/** The tables and their keys as the migrations leave them. */
import type { Knex } from 'knex';
import { migrations } from '../../migrations/all.ts';

export interface Key {
  /** PRIMARY, or its name. */
  readonly name: string;
  readonly columns: readonly string[];
}

export interface Table {
  readonly name: string;
  readonly keys: readonly Key[];
}

/** Statements of all migrations, in their order. They are written down, not run. */
export async function readSchema(): Promise<readonly string[]> {
  const statements: string[] = [];
  const knex = { raw: async (text: string) => statements.push(text.replace(/\s+/g, ' ').trim()) };
  for (const { migration } of migrations) await migration.up(knex as unknown as Knex);
  return statements;
}

export function readTables(schema: readonly string[]): readonly Table[] {
  const tables = new Map<string, Map<string, Key>>();
  for (const text of schema) {
    const table = /^(?:CREATE|ALTER) TABLE (\w+)/.exec(text)?.[1];
    if (table === undefined) continue;
    const keys = tables.get(table) ?? new Map<string, Key>();
    tables.set(table, keys);
    for (const key of keysIn(text)) keys.set(key.name, key);
  }
  return [...tables].map(([name, keys]) => ({ name, keys: [...keys.values()] }));
}

/** `id BIGINT NOT NULL PRIMARY KEY`, `PRIMARY KEY (a, b)`, `KEY name (a, b)`. */
function keysIn(text: string): readonly Key[] {
  const inline = [...text.matchAll(/[(,] ?(\w+) [^,]*?PRIMARY KEY(?! \()/g)].map(([, column = '']) => ({
    name: 'PRIMARY',
    columns: [column],
  }));
  const named = [...text.matchAll(/(PRIMARY KEY|KEY (\w+)) \(([^)]+)\)/g)].map(
    ([, , name, columns = '']) => ({
      name: name ?? 'PRIMARY',
      columns: columns.split(', '),
    }),
  );
  return [...inline, ...named];
}
