import { expect, test } from 'vitest';
import { dueByRate } from './due-by-rate.ts';

test('each chunk is due when the rate has got through those before it', () => {
  expect(dueByRate([500, 500, 20, 500], { perMinute: 1_000, before: 0, runningMs: 0 })).toEqual([
    0, 30_000, 60_000, 61_200,
  ]);
});

test('a later page goes on where the one before ended; what is late is due now', () => {
  expect(dueByRate([500, 500], { perMinute: 1_000, before: 2_000, runningMs: 100_000 })).toEqual([
    20_000, 50_000,
  ]);
  expect(dueByRate([500, 500], { perMinute: 1_000, before: 0, runningMs: 45_000 })).toEqual([0, 0]);
});
