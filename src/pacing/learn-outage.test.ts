/** A destination that refuses all for a while and is well again, with grants, small windows and two workers (`fleet-model.ts`). */
import { describe, expect, test } from 'vitest';
import { type FleetSecond, playFleet } from './fleet-model.ts';

const takesAll = 1_000_000;
const wellSeconds = 30;

interface Outage {
  /** What is taken meanwhile, messages a second. */
  readonly perSecond?: number;
  readonly seconds: number;
  readonly replyMs: number;
}

function play({ perSecond = 0, seconds, replyMs }: Outage) {
  const endsAt = wellSeconds + seconds;
  const limits = [
    { fromMs: 0, perSecond: takesAll },
    { fromMs: wellSeconds * 1_000, perSecond },
    { fromMs: endsAt * 1_000, perSecond: takesAll },
  ];
  const all = playFleet({ limits, endMs: (endsAt + 60) * 1_000, replyMs });
  return {
    usual: meanTaken(all.slice(wellSeconds - 10, wellSeconds)),
    meanwhile: all.slice(wellSeconds + 5, endsAt),
    after: all.slice(endsAt),
  };
}

function meanTaken(seconds: readonly FleetSecond[]): number {
  return seconds.reduce((sum, { taken }) => sum + taken, 0) / seconds.length;
}

function attempts(seconds: readonly FleetSecond[]): number {
  return seconds.reduce((sum, second) => sum + second.attempts, 0);
}

describe.each([
  { seconds: 20, replyMs: 50 },
  { seconds: 60, replyMs: 50 },
  { seconds: 20, replyMs: 200 },
  { seconds: 60, replyMs: 200 },
  { seconds: 20, replyMs: 500 },
])('all refused for $seconds s, replies in $replyMs ms', (outage) => {
  const { usual, meanwhile, after } = play(outage);

  test('it is as fast as before within 60 s', () => {
    expect(meanTaken(after.slice(-10))).toBeGreaterThan(0.95 * usual);
    expect(after.findIndex(({ taken }) => taken > 0.9 * usual)).toBeLessThan(55);
  });

  test('there is no second with half as many more than before', () => {
    expect(Math.max(...after.map((second) => second.attempts))).toBeLessThan(1.5 * usual);
  });

  test('meanwhile it is left in peace, but for a fiftieth', () => {
    expect(attempts(meanwhile) / meanwhile.length).toBeLessThanOrEqual(Math.max(0.6, 0.021 * usual));
    expect(attempts(meanwhile)).toBeGreaterThan(0);
  });
});

test.each([1, 5])('one that takes %d a second after 200 is slow, not closed: it gets that', (perSecond) => {
  const { meanwhile } = play({ perSecond, seconds: 120, replyMs: 50 });
  const taken = meanTaken(meanwhile);
  expect(taken).toBeGreaterThan(0.5 * perSecond);
  expect(attempts(meanwhile) / meanwhile.length).toBeLessThan(1.15 * taken);
});
