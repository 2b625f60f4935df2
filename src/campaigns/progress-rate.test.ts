import { expect, test } from 'vitest';
import { ProgressRate } from './progress-rate.ts';

test('a rate needs two looks that lie apart', () => {
  const rate = new ProgressRate();
  expect(rate.add({ atMs: 0, settled: 100 })).toBeNull();
  expect(rate.add({ atMs: 100, settled: 200 })).toBeNull();
  expect(rate.add({ atMs: 1_000, settled: 1_100 })).toBe(1_000);
});

test('it is that of the last ten seconds', () => {
  const rate = new ProgressRate();
  for (let second = 0; second <= 20; second++) rate.add({ atMs: second * 1_000, settled: second * 500 });
  for (let second = 21; second <= 30; second++) rate.add({ atMs: second * 1_000, settled: 10_000 });
  expect(rate.add({ atMs: 31_000, settled: 10_000 })).toBe(0);
});

test('many looks at once neither fill it nor falsify it', () => {
  const rate = new ProgressRate();
  let last: number | null = null;
  for (let ms = 0; ms <= 5_000; ms += 10) last = rate.add({ atMs: ms, settled: ms });
  expect(last).toBeCloseTo(1_000);
});

test('after a long silence it starts anew', () => {
  const rate = new ProgressRate();
  rate.add({ atMs: 0, settled: 0 });
  expect(rate.add({ atMs: 60_000, settled: 1_000_000 })).toBeNull();
});
