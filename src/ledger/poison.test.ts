import { expect, test } from 'vitest';
import { afterCrash, afterProgress, isPoisoned, largestGrantOf, staggerMs } from './poison.ts';

test('one crash changes nothing, two halve the grant, and so on down to one message', () => {
  const sizes = [0, 1, 2, 3, 4, 9, 10].map((crashes) => largestGrantOf({ size: 500, crashes }));
  expect(sizes).toEqual([500, 500, 250, 125, 62, 1, 1]);
});

test('a message is poison only after it stood alone and was fatal', () => {
  expect(isPoisoned({ size: 500, crashes: 9 })).toBe(false);
  expect(isPoisoned({ size: 500, crashes: 10 })).toBe(true);
});

test('a chunk of one message, which may have died beside another’s poison, is tried as long as a small search takes', () => {
  expect(isPoisoned({ size: 1, crashes: 3 })).toBe(false);
  expect(isPoisoned({ size: 1, crashes: 4 })).toBe(true);
});

test('suspects that died together are tried apart, within seconds', () => {
  expect(staggerMs(1, 0)).toBe(0);
  expect(staggerMs(3, 0.5)).toBe(1_500);
  expect(staggerMs(100, 1)).toBe(5_000);
});

test('the search finds one bad message among 500, skips no other, and needs few crashes', () => {
  for (const poison of [0, 1, 249, 250, 499]) {
    const { skipped, crashes } = search(500, poison);
    expect(skipped).toEqual([poison]);
    expect(crashes).toBeLessThan(15);
  }
});

/** A model of the chunk: grants go to the first messages that are left; one with the poison in it crashes. */
function search(size: number, poison: number): { skipped: number[]; crashes: number } {
  let left = Array.from({ length: size }, (_, seq) => seq);
  const skipped: number[] = [];
  let crashes = 0;
  let total = 0;
  while (left.length > 0) {
    if (isPoisoned({ size, crashes })) {
      skipped.push(left[0] as number);
      left = left.slice(1);
      crashes = 0;
      continue;
    }
    const n = largestGrantOf({ size, crashes });
    if (left.slice(0, n).includes(poison)) {
      crashes = afterCrash(crashes);
      total++;
    } else {
      left = left.slice(n);
      crashes = afterProgress(crashes);
    }
  }
  return { skipped, crashes: total };
}
