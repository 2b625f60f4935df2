import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor, toPage } from './pagination.ts';

test('a cursor gives back the position it was made of', () => {
  const cursor = encodeCursor([1700000000000, 'name', null]);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(decodeCursor(cursor, z.number(), z.string(), z.null())).toEqual([1700000000000, 'name', null]);
  expect(decodeCursor(undefined, z.number())).toBeUndefined();
});

test.each([
  ['not base64', '%%%'],
  ['not JSON', Buffer.from('{').toString('base64url')],
  ['not a tuple', Buffer.from('{"a":1}').toString('base64url')],
  ['another version', Buffer.from('[2,5]').toString('base64url')],
  ['another shape', encodeCursor(['5'])],
  ['a longer one', encodeCursor([5, 6])],
])('a cursor that is %s is refused', (_what, cursor) => {
  expect(() => decodeCursor(cursor, z.number())).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
});

test('there is a next page exactly when one row more than the page came', () => {
  const as = { item: (row: number) => `item ${row}`, position: (row: number) => [row] };
  expect(toPage([1, 2], 2, as)).toEqual({ data: ['item 1', 'item 2'], next_cursor: null });
  expect(toPage([1, 2, 3], 2, as)).toEqual({ data: ['item 1', 'item 2'], next_cursor: encodeCursor([2]) });
  expect(toPage([], 2, as)).toEqual({ data: [], next_cursor: null });
});
