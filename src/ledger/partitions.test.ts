import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partOf } from './partitions.ts';

const dayMs = 86_400_000;

test.each([
  // ISO 8601: the week belongs to the year of its Thursday.
  ['2024-12-29T23:59:59.999Z', 202452],
  ['2024-12-30T00:00:00Z', 202501],
  ['2025-01-01T00:00:00Z', 202501],
  ['2020-12-31T12:00:00Z', 202053],
  ['2021-01-03T23:59:59Z', 202053],
  ['2021-01-04T00:00:00Z', 202101],
  ['2026-12-31T00:00:00Z', 202653],
  ['2027-01-01T00:00:00Z', 202653],
  ['2027-01-04T00:00:00Z', 202701],
  ['2025-11-21T05:00:00Z', 202547],
  ['2028-02-29T12:00:00Z', 202809],
])('%s is in week %i', (moment, part) => {
  expect(partOf(Date.parse(moment))).toBe(part);
});

test('a week has seven days, all of one part, and the next one is greater', () => {
  const monday = Date.UTC(2024, 0, 1);
  fc.assert(
    fc.property(fc.nat(52 * 80), fc.nat(7 * dayMs - 1), (week, offset) => {
      const start = monday + week * 7 * dayMs;
      expect(partOf(start + offset)).toBe(partOf(start));
      expect(partOf(start + 7 * dayMs)).toBeGreaterThan(partOf(start));
      expect(partOf(start) % 100).toBeGreaterThanOrEqual(1);
      expect(partOf(start) % 100).toBeLessThanOrEqual(53);
    }),
  );
});
