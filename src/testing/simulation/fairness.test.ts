import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundOf, neighbourhoods, waitOfQuiet } from './fairness.ts';

test('a quiet tenant waits for no more than the window and one quantum of each active tenant', () => {
  fc.assert(
    fc.property(neighbourhoods, (neighbourhood) => {
      expect(waitOfQuiet(neighbourhood)).toBeLessThanOrEqual(boundOf(neighbourhood));
    }),
    { seed: 1, numRuns: 150 },
  );
}, 30_000);

test('the wait does not grow with what a neighbour has waiting, and is not trivially zero', () => {
  const busy = {
    window: 1_000,
    whales: 10,
    quietTenant: 3,
    quietMessages: 5,
    passesBefore: 9,
    served: [130],
  };
  expect(waitOfQuiet(busy)).toBeGreaterThan(500);
  expect(waitOfQuiet({ ...busy, passesBefore: 400 })).toBeLessThanOrEqual(boundOf(busy));
}, 30_000);
