import type { Random } from '../../src/testing/smtp-sink/seeded-random.ts';

/** Picks positions by weight, in a few comparisons however many there are. */
export function createWeightedPick(weights: readonly number[]): (random: Random) => number {
  let sum = 0;
  const sums = weights.map((weight) => {
    sum += weight;
    return sum;
  });
  return (random) => firstAbove(sums, random() * sum);
}

function firstAbove(sums: readonly number[], value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
