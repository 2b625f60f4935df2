import { expect, test } from 'vitest';
import { groupBy } from './group-by.ts';

test('groups keep the order of items, and are in that of their first', () => {
  expect([...groupBy([3, 1, 4, 1, 5, 9, 2, 6], (n) => n % 3)]).toEqual([
    [0, [3, 9, 6]],
    [1, [1, 4, 1]],
    [2, [5, 2]],
  ]);
  expect(groupBy([], () => 'none').size).toBe(0);
});
