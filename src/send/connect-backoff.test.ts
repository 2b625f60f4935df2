import { expect, test } from 'vitest';
import { createConnectBackoff } from './connect-backoff.ts';

test('it doubles from the first wait to ten minutes, half of it chance', () => {
  const least = createConnectBackoff(15_000);
  const most = createConnectBackoff(15_000);
  expect([1, 2, 3].map(() => least.failed(0))).toEqual([7_500, 15_000, 30_000]);
  expect([1, 2, 3].map(() => most.failed(1))).toEqual([15_000, 30_000, 60_000]);
  for (let i = 0; i < 2_000; i++) most.failed(1);
  expect(most.failed(1)).toBe(600_000);
});

test('an answer begins it anew', () => {
  const backoff = createConnectBackoff(1_000);
  backoff.failed(1);
  backoff.failed(1);
  backoff.succeeded();
  expect(backoff.failed(1)).toBe(1_000);
});
