import { expect, test } from 'vitest';
import type { Lane } from './demand.ts';
import { RetryCredits } from './retry-credits.ts';

const lane = { tenantId: 1, destinationId: 1, class: 2 };
const urgent = { ...lane, class: 0 };
const elsewhere = { ...lane, destinationId: 11 };
const creditOf = (one: Lane, messages: number) => ({ lane: one, messages });

test('each lane has its own, and the last that was saved', () => {
  const credits = new RetryCredits();
  expect(credits.of(lane)).toBeUndefined();
  const both = [lane, elsewhere];
  credits.save([creditOf(lane, 3), creditOf(urgent, 4)], both);
  credits.save([creditOf(lane, 0), creditOf(elsewhere, 5)], both);
  expect([lane, urgent, elsewhere].map((one) => credits.of(one))).toEqual([0, 4, 5]);
});

test('those of a destination with nothing due or under way are forgotten', () => {
  const credits = new RetryCredits();
  credits.save([creditOf(lane, 3), creditOf(elsewhere, 3)], [lane, elsewhere]);
  credits.save([], [lane]);
  expect([lane, elsewhere].map((one) => credits.of(one))).toEqual([3, undefined]);
});
