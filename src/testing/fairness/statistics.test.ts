import { describe, expect, test } from 'vitest';
import { countInSteps, jainIndex, median, percentile, slidingSums } from './statistics.ts';

describe('statistics', () => {
  test('a percentile is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([percentile(values, 0.95), percentile(values, 0.99), median(values)]).toEqual([95, 99, 50]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test("Jain's index is 1 for equal shares, 1/n for one that takes all", () => {
    expect(jainIndex([3, 3, 3])).toBeCloseTo(1);
    expect(jainIndex([5, 0, 0, 0])).toBeCloseTo(0.25);
  });

  test('counts fall into steps, and what is outside is left out', () => {
    const events = [5, 10, 19, 20, 39, 40].map((at) => ({ at, n: 1 }));
    expect(countInSteps(events, { fromMs: 10, untilMs: 40, stepMs: 10 })).toEqual([2, 1, 1]);
  });

  test('sliding sums see every window', () => {
    expect(slidingSums([1, 2, 3, 4], 2)).toEqual([3, 5, 7]);
    expect(slidingSums([1], 2)).toEqual([]);
  });
});
