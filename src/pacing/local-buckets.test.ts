import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLocalBuckets } from './local-buckets.ts';

const one = { name: 'd:1', perSecond: 100 };

test('a share begins with nothing, and says when its first message may go', () => {
  expect(createLocalBuckets(() => 4).take([one], 5, 0)).toEqual({ granted: 0, waitMs: 40, limitedBy: 'd:1' });
});

test('what is given back may be taken again', () => {
  const local = createLocalBuckets(() => 1);
  local.take([one], 1, 0);
  expect(local.take([one], 9, 1_000).granted).toBe(9);
  local.giveBack([one], 4);
  expect(local.take([one], 9, 1_000).granted).toBe(5);
});

test('however it is asked, a share never gives more than its rate and a tenth of a second', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 64 })), {
    maxLength: 200,
  });
  const rate = fc.double({ min: 0.1, max: 5_000, noNaN: true });
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 8 }), steps, (perSecond, workers, all) => {
      const local = createLocalBuckets(() => workers);
      let [nowMs, granted] = [0, 0];
      for (const [laterMs, wanted] of all) {
        nowMs += laterMs;
        granted += local.take([{ name: 'x', perSecond }], wanted, nowMs).granted;
      }
      const share = perSecond / workers;
      expect(granted).toBeLessThanOrEqual((share * nowMs) / 1_000 + 1e-3);
    }),
  );
});
