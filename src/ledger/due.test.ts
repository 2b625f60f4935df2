import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dueInMs } from './due.ts';
import { deliveryStateNames, type StateCounts } from './states.ts';

const none = Object.fromEntries(deliveryStateNames.map((name) => [name, 0])) as unknown as StateCounts;
const rules = { retryStepMs: 30_000 };
const due = (counts: Partial<StateCounts>, nextAttemptInMs: number | null = null, holdMs = 0, chunkNo = 0) =>
  dueInMs({ counts: { ...none, ...counts }, nextAttemptInMs, holdMs, chunkNo }, rules);

test('with rows pending it is due at once, or when its hold is over', () => {
  expect(due({ pending: 1 })).toBe(0);
  expect(due({ pending: 1, deferred: 3 }, 90_000)).toBe(0);
  expect(due({ pending: 1 }, null, 5_000)).toBe(5_000);
});

test('with deferred rows alone it is due with the earliest, rounded up, and not before its hold is over', () => {
  expect(due({ deferred: 1 }, 1)).toBe(30_000);
  expect(due({ deferred: 1 }, 30_000)).toBe(30_000);
  expect(due({ deferred: 1 }, 30_001)).toBe(60_000);
  expect(due({ deferred: 1, sent: 9 }, -5_000)).toBe(0);
  expect(due({ deferred: 1 }, 1, 45_000)).toBe(45_000);
});

test('with nothing that could be sent it is never due', () => {
  expect(due({ sent: 3 })).toBeNull();
  expect(due({ in_doubt: 2, bounced: 1 }, null, 5_000)).toBeNull();
});

test('it is never due before a row of it may be tried, and at most one step after', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.nat(1e6),
      fc.nat(1e6),
      (nextAttemptInMs, holdMs, chunkNo) => {
        const wait = due({ deferred: 1 }, nextAttemptInMs, holdMs, chunkNo) as number;
        const earliest = Math.max(nextAttemptInMs, holdMs, 0);
        expect(wait).toBeGreaterThanOrEqual(earliest);
        expect(wait).toBeLessThan(earliest + rules.retryStepMs + 1);
      },
    ),
  );
});

test('what was deferred at one moment comes back spread over the step', () => {
  const perSecond = Array.from({ length: 30 }, () => 0);
  for (let chunkNo = 0; chunkNo < 2_000; chunkNo++) {
    const second = Math.floor(((due({ deferred: 500 }, 60_000, 0, chunkNo) as number) - 60_000) / 1_000);
    perSecond[second] = (perSecond[second] ?? 0) + 1;
  }
  expect(perSecond).toHaveLength(30);
  expect(Math.min(...perSecond)).toBeGreaterThan(60);
  expect(Math.max(...perSecond)).toBeLessThan(74);
});
