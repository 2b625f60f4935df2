import { expect, test } from 'vitest';
import { predictDrain } from './predict-drain.ts';

const settings = { min: 1, max: 4, drainSeconds: 2, idleMs: 60_000, downAfterMs: 60_000 };
const prediction = {
  ...{ messages: 20_000, assumedPerSecond: 500, actualPerSecond: 500, everyMs: 500, startMs: 2_000 },
  settings,
};

test('what one worker can do in time needs no other', () => {
  expect(predictDrain({ ...prediction, messages: 1_000 })).toBeCloseTo(2);
});

test('workers come in two steps: three after they have started, the fourth a step later', () => {
  // 2 s of one; then three until 15 s + 2 s, but 20,000 are gone by then: 1,000 + 19,000 / 1,500.
  expect(predictDrain(prediction)).toBeCloseTo(2 + 19_000 / 1_500, 0);
  // 1,000 + 15 s x 1,500 = 23,500, and the rest of four.
  expect(predictDrain({ ...prediction, messages: 200_000 })).toBeCloseTo(17 + 176_500 / 2_000, 0);
});

test('a maximum of one is the plain quotient, and slower workers take longer', () => {
  expect(predictDrain({ ...prediction, settings: { ...settings, max: 1 } })).toBeCloseTo(40);
  expect(predictDrain({ ...prediction, actualPerSecond: 250 })).toBeGreaterThan(
    predictDrain(prediction) * 1.7,
  );
});
