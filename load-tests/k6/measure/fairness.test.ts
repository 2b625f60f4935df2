import { expect, test } from 'vitest';
import { busySeconds, idealEnds, jain, percentile, speedsAgainstIdeal } from './fairness.ts';

test('Jain’s index is 1 for equals and 1/n when one has all', () => {
  expect(jain([3, 3, 3])).toBeCloseTo(1);
  expect(jain([1, 0, 0, 0])).toBeCloseTo(0.25);
});

test('shared evenly, a small campaign passes a large one that came before it', () => {
  const jobs = [
    { atMs: 0, messages: 1_000 },
    { atMs: 1_000, messages: 100 },
  ];
  // 100 a second: alone for a second, then half each for two, then alone again.
  expect(idealEnds(jobs, 100)).toEqual([11_000, 3_000]);
});

test('times since 1970 and uneven sizes come to an end', () => {
  const jobs = Array.from({ length: 50 }, (_, i) => ({
    atMs: 1.79e12 + i * 7.3,
    messages: 1 + 1_000 / (i + 1),
  }));
  const ends = idealEnds(jobs, 333.3);
  const messages = jobs.reduce((sum, job) => sum + job.messages, 0);
  expect(Math.max(...ends) - 1.79e12).toBeCloseTo((messages / 333.3) * 1_000, 0);
});

test('idle times between campaigns are no work', () => {
  const jobs = [
    { atMs: 0, messages: 10 },
    { atMs: 60_000, messages: 10 },
  ];
  expect(idealEnds(jobs, 10)).toEqual([1_000, 61_000]);
  const spans = [
    { atMs: 0, endMs: 1_000 },
    { atMs: 500, endMs: 2_000 },
    { atMs: 60_000, endMs: 61_000 },
  ];
  expect(busySeconds(spans)).toBe(3);
});

test('first come, first served is seen: the small one waits for the large one', () => {
  const fifo = [
    { atMs: 0, messages: 10_000, endMs: 100_000 },
    { atMs: 0, messages: 100, endMs: 101_000 },
  ];
  const fair = [
    { atMs: 0, messages: 10_000, endMs: 101_000 },
    { atMs: 0, messages: 100, endMs: 2_000 },
  ];
  const scale = { perSecond: 100, floorMs: 2_000 };
  expect(jain(speedsAgainstIdeal(fifo, scale))).toBeLessThan(0.6);
  expect(jain(speedsAgainstIdeal(fair, scale))).toBeGreaterThan(0.99);
});

test('a percentile of nothing is nothing', () => {
  expect(percentile([], 0.95)).toBe(0);
  expect(percentile([5, 1, 3], 0.95)).toBe(5);
});
