import { expect, test } from 'vitest';
import { workThrough } from './work-through.ts';

const half = async (n: number) => {
  if (n % 2 === 1) throw new Error(`${n} is odd`);
  return n / 2;
};

test('what fails is told of and passed over', async () => {
  const told: unknown[] = [];
  expect(
    await workThrough([1, 2, 3, 4], half, (n, error) => told.push([n, (error as Error).message])),
  ).toEqual([1, 2]);
  expect(told).toEqual([
    [1, '1 is odd'],
    [3, '3 is odd'],
  ]);
});

test('when nothing goes well the first failure is thrown; nothing to do is no failure', async () => {
  await expect(workThrough([1, 3], half)).rejects.toThrow('1 is odd');
  expect(await workThrough([], half)).toEqual([]);
});
