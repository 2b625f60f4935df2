/**
 * Keyset pages behind an opaque cursor: base64url of `[version, ...position]`. The cursor is not signed: it only
 * ever narrows a query that is already scoped to the tenant, so a forged one shows nothing it should not. Its
 * shape is validated before it reaches SQL.
 */
import { z } from 'zod';
import { AppError } from '../errors.ts';

const version = 1;

/** Ids and times (as ms) and texts: the sort key of the last row that was shown. */
export type Position = readonly (string | number | null)[];

export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify([version, ...position])).toString('base64url');
}

/** The position in a cursor, or undefined without one (the first page). Throws `invalid_cursor` on anything else. */
export function decodeCursor<T extends readonly [z.ZodType, ...z.ZodType[]]>(
  cursor: string | undefined,
  ...shape: T
): z.output<z.ZodTuple<T>> | undefined {
  if (cursor === undefined) return undefined;
  const [cursorVersion, ...position] = readTuple(cursor);
  const result = z.tuple(shape as T).safeParse(position);
  if (cursorVersion === version && result.success) return result.data as z.output<z.ZodTuple<T>>;
  throw new AppError('invalid_cursor', { errors: [{ parameter: 'cursor', detail: 'is not a next_cursor' }] });
}

/** Makes the page from one row more than the page holds: whether that row came says whether there is a next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  pageSize: number,
  { item, position }: { item: (row: Row) => Item; position: (row: Row) => Position },
): Page<Item> {
  const shown = rows.slice(0, pageSize);
  const last = shown.at(-1);
  const hasMore = rows.length > pageSize && last !== undefined;
  return { data: shown.map(item), next_cursor: hasMore ? encodeCursor(position(last)) : null };
}

function readTuple(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
