import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planChanges } from './pool-change.ts';

const size = { workers: { render: 2, send: 2 }, isStopping: false, min: 1, max: 4 };

test('what is missing starts together; what is too many goes one at a time', () => {
  expect(planChanges({ render: 2, send: 4 }, size)).toEqual([{ pool: 'send', kind: 'start', workers: 2 }]);
  const large = { ...size, workers: { render: 3, send: 4 } };
  expect(planChanges({ render: 1, send: 1 }, large)).toEqual([{ pool: 'send', kind: 'stop' }]);
  expect(planChanges({ render: 1, send: 1 }, { ...large, isStopping: true })).toEqual([]);
  expect(planChanges({ render: 4, send: 1 }, size)).toEqual([
    { pool: 'render', kind: 'start', workers: 2 },
    { pool: 'send', kind: 'stop' },
  ]);
});

test('a fleet stays between its minimum and its maximum, whatever is asked for', () => {
  const n = fc.nat(200);
  fc.assert(
    fc.property(n, n, fc.integer({ min: 1, max: 4 }), (render, send, now) => {
      const workers = { render: now, send: now };
      for (const change of planChanges({ render, send }, { ...size, workers })) {
        const then = now + (change.kind === 'start' ? change.workers : -1);
        expect(then).toBeLessThanOrEqual(4);
        expect(then).toBeGreaterThanOrEqual(1);
      }
    }),
  );
});
