import { expect, test } from 'vitest';
import { createRunawayGuard, limitsInARow } from './runaway-guard.ts';

test('a campaign has run away after so many limits in a row, and only then', () => {
  const guard = createRunawayGuard();
  for (let i = 1; i < limitsInARow; i++) guard.note('a', true);
  expect(guard.hasRunAway('a')).toBe(false);
  guard.note('a', true);
  expect(guard.hasRunAway('a')).toBe(true);
  expect(guard.hasRunAway('b')).toBe(false);
});

test('one recipient that renders starts the count anew: some profiles are just large', () => {
  const guard = createRunawayGuard();
  for (let i = 1; i < limitsInARow; i++) guard.note('a', true);
  guard.note('a', false);
  guard.note('a', true);
  expect(guard.hasRunAway('a')).toBe(false);
});
