import { expect, test } from 'vitest';
import { checkSchedules } from './check-schedules.ts';

const seeds = [1, 2, 3];
const schedulesEach = 1_000;

test.each(seeds)(
  'no schedule of seed %i breaks an invariant',
  (seed) => {
    const { broken, runs } = checkSchedules({ seed, schedules: schedulesEach });
    expect(broken?.story).toBeUndefined();
    expect(runs).toBe(schedulesEach);
  },
  30_000,
);
