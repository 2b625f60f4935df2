import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { connectionLimitsOf, destinationLimitsOf, hasDayQuota, quotasOf } from './destination-limits.ts';
import { transportLimits } from './smtp-settings.ts';
import { warmUpStep } from './warm-up.ts';

const day = '2026-11-21';
const parse = (limits: object = {}) => transportLimits.parse(limits);

describe('destinationLimitsOf', () => {
  it('a provider has the shipped connections, and the tail the generic ones', () => {
    const of = (name: string) => destinationLimitsOf(parse(), 'provider', name, day).connections;
    expect(['gmail', 'microsoft', 'orange', 'libero', 'other-3'].map(of)).toEqual([5, 5, 2, 10, 10]);
  });

  it('a relay has no limits but those that are set', () => {
    const unset = { perSecond: undefined, connections: undefined, perDay: undefined };
    expect(destinationLimitsOf(parse(), 'transport', 'all', day)).toEqual(unset);
    const set = parse({
      perSecond: 50,
      connections: 7,
      perDay: 1_000,
      destinations: { gmail: { perSecond: 1 } },
    });
    expect(destinationLimitsOf(set, 'transport', 'all', day)).toEqual({
      perSecond: 50,
      connections: 7,
      perDay: 1_000,
    });
  });

  it('the destination’s own setting comes first, the transport’s rate and quota hold over it', () => {
    const limits = parse({
      perSecond: 50,
      connections: 7,
      perDay: 1_000,
      destinations: {
        gmail: { perSecond: 80, connections: 3, perDay: 5_000 },
        other: { perSecond: 2, perDay: 9 },
      },
    });
    expect(destinationLimitsOf(limits, 'provider', 'gmail', day)).toEqual({
      perSecond: 50,
      connections: 3,
      perDay: 1_000,
    });
    expect(destinationLimitsOf(limits, 'provider', 'other-7', day)).toEqual({
      perSecond: 2,
      connections: 7,
      perDay: 9,
    });
    expect(quotasOf(limits, 'provider', 'gmail', day)).toEqual({ destination: 5_000, transport: 1_000 });
  });

  it('is asked to count only where a quota is set', () => {
    const warmUp = { startsOn: day, firstDay: 1, growth: 2, until: 5 };
    expect(
      [{}, { perSecond: 1 }, { destinations: { gmail: { connections: 1 } } }].map(parse).map(hasDayQuota),
    ).toEqual([false, false, false]);
    expect(
      [{ perDay: 1 }, { warmUp }, { destinations: { gmail: { perDay: 1 } } }].map(parse).map(hasDayQuota),
    ).toEqual([true, true, true]);
  });
});

test('a connection carries no more than its provider takes', () => {
  const of = (messagesPerConnection: number, mode: 'provider' | 'transport', name: string) =>
    connectionLimitsOf(parse({ messagesPerConnection }), mode, name).messagesPerConnection;
  expect(of(100, 'provider', 'apple')).toBe(5);
  expect(of(0, 'provider', 'yahoo')).toBe(20);
  expect(of(3, 'provider', 'yahoo')).toBe(3);
  expect(of(0, 'transport', 'all')).toBe(0);
});

describe('warmUpStep', () => {
  const plan = { startsOn: '2026-11-20', firstDay: 100, growth: 1.5, until: 400 };

  it.each([
    ['2026-11-19', undefined],
    ['2026-11-20', 100],
    ['2026-11-21', 150],
    ['2026-11-22', 225],
    ['2026-11-23', 337],
    ['2026-11-24', undefined],
    ['2099-01-01', undefined],
  ])('%s: %s', (today, expected) => expect(warmUpStep(plan, today)).toBe(expected));

  it('never shrinks from day to day, nor exceeds its end', () => {
    const plans = fc.record({
      startsOn: fc.constant('2026-02-27'),
      firstDay: fc.integer({ min: 1, max: 10_000 }),
      growth: fc.double({ min: 1.01, max: 10, noNaN: true }),
      until: fc.integer({ min: 10_000, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(plans, fc.integer({ min: 0, max: 400 }), (given, days) => {
        const on = (n: number) =>
          new Date(Date.parse(given.startsOn) + n * 86_400_000).toISOString().slice(0, 10);
        const [today, tomorrow] = [warmUpStep(given, on(days)), warmUpStep(given, on(days + 1))];
        expect(today ?? given.until).toBeLessThanOrEqual(given.until);
        expect(tomorrow ?? Infinity).toBeGreaterThanOrEqual(today ?? Infinity);
      }),
    );
  });
});

describe('the settings', () => {
  it('name a provider that is known, and a warm-up that grows', () => {
    const warmUp = { startsOn: '2026-11-20', firstDay: 100, growth: 1.5, until: 400 };
    for (const good of [
      { destinations: { gmail: {}, other: {}, mimecast: {} } },
      { warmUp },
      { warmUp: { ...warmUp, until: 100 } },
    ])
      expect(transportLimits.safeParse(good).success).toBe(true);
    for (const bad of [
      { destinations: { gmial: {} } },
      { destinations: { 'other-1': {} } },
      { destinations: { gmail: { perHour: 1 } } },
      { destinations: { gmail: { perDay: 0 } } },
      { warmUp: { ...warmUp, until: 99 } },
      { warmUp: { ...warmUp, growth: 1 } },
      { warmUp: { ...warmUp, startsOn: '2026-02-30' } },
    ])
      expect(transportLimits.safeParse(bad).success).toBe(false);
  });
});
