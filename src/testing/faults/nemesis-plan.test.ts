import { expect, test } from 'vitest';
import { planNemesis } from './nemesis-plan.ts';

test('the same seed makes the same schedule, another one another', () => {
  expect(planNemesis(1, 60_000)).toEqual(planNemesis(1, 60_000));
  expect(planNemesis(1, 60_000)).not.toEqual(planNemesis(2, 60_000));
});

test('a minute holds faults of every kind, each with an end', () => {
  const steps = Array.from({ length: 10 }, (_, seed) => planNemesis(seed, 60_000)).flat();
  expect(new Set(steps.map((step) => step.do)).size).toBe(10);
  expect(steps.every((step) => !('forMs' in step) || step.forMs < 4_000)).toBe(true);
});
