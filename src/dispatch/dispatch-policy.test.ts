import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DestinationDemand,
  hasRoom,
  type Lane,
  planShares,
  smallestQuantum,
} from './dispatch-policy.ts';

const limits = { windowPerDestination: 6_000, windowTotal: 30_000 };
const lane = (tenantId: number, destinationId = 1, deliveryClass = 2): Lane => ({
  tenantId,
  destinationId,
  class: deliveryClass,
});
const demand = (lanes: readonly Lane[], outstanding = 0, destinationId = 1): DestinationDemand => ({
  destinationId,
  outstanding,
  lanes,
});
const given = (plan: ReturnType<typeof planShares>) =>
  plan.shares.map((share) => [share.lane.tenantId, share.messages]);
const tenants = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

describe('a window', () => {
  test('goes whole to a lane that is alone, and in equal parts to several', () => {
    expect(given(planShares([demand([lane(1)])], limits, new Map()))).toEqual([[1, 6_000]]);
    expect(given(planShares([demand([lane(3), lane(1), lane(2)])], limits, new Map()))).toEqual([
      [1, 2_000],
      [2, 2_000],
      [3, 2_000],
    ]);
  });

  test('that is nearly full waits until a grant is worth while, an empty one never', () => {
    expect(given(planShares([demand([lane(1)], 5_500)], limits, new Map()))).toEqual([]);
    expect(given(planShares([demand([lane(1)], 5_000)], limits, new Map()))).toEqual([[1, 1_000]]);
    expect(given(planShares([demand([lane(1)], 9_000)], limits, new Map()))).toEqual([]);
    expect([0, 5_000, 5_500, 6_000, 9_000].map((n) => hasRoom(n, limits))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('serves transactional mail first, then flows, then campaigns', () => {
    const lanes = [lane(1, 1, 2), lane(2, 1, 1), lane(3, 1, 0)];
    expect(planShares([demand(lanes)], limits, new Map()).shares.map((share) => share.lane.class)).toEqual([
      0, 1, 2,
    ]);
  });
});

describe('turns', () => {
  test('go on after the tenant served last, so that with more lanes than quanta each is served', () => {
    const small = { windowPerDestination: 64, windowTotal: 30_000 };
    const lanes = tenants(10).map((id) => lane(id));
    const served: number[] = [];
    let rotation: ReadonlyMap<string, number> = new Map();
    for (let pass = 0; pass < 5; pass++) {
      const plan = planShares([demand(lanes)], small, rotation);
      served.push(...plan.shares.map((share) => share.lane.tenantId));
      rotation = plan.rotation;
    }
    expect(served).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('are fair: whatever lanes come and go, one that always waits is served within one round', () => {
    const passes = fc.array(fc.uniqueArray(fc.integer({ min: 2, max: 40 }), { maxLength: 39 }), {
      minLength: 12,
      maxLength: 30,
    });
    fc.assert(
      fc.property(passes, fc.integer({ min: 1, max: 41 }), (others, quiet) => {
        let rotation: ReadonlyMap<string, number> = new Map();
        let waited = 0;
        for (const present of others) {
          const lanes = [...new Set([...present, quiet])].map((id) => lane(id));
          const plan = planShares(
            [demand(lanes)],
            { windowPerDestination: 128, windowTotal: 30_000 },
            rotation,
          );
          rotation = plan.rotation;
          waited = plan.shares.some((share) => share.lane.tenantId === quiet) ? 0 : waited + 1;
          // 41 tenants, eight quanta of 16 in each pass.
          expect(waited).toBeLessThan(6);
        }
      }),
    );
  });

  test('a small tenant next to whales gets what they get', () => {
    const plan = planShares([demand(tenants(50).map((id) => lane(id)))], limits, new Map());
    expect(new Set(plan.shares.map((share) => share.messages))).toEqual(new Set([120]));
  });
});

describe('the total', () => {
  test('leaves room for the next destination, however many stall with full windows', () => {
    let demands = tenants(40).map((id) => demand([lane(1, id)], 0, id));
    for (let pass = 0; pass < 50; pass++) demands = grow(demands);
    const newcomer = demand([lane(9, 99)], 0, 99);
    const plan = planShares([...demands, newcomer], limits, new Map());
    const share = plan.shares.find(({ lane: { destinationId } }) => destinationId === 99);
    expect(share?.messages).toBeGreaterThanOrEqual(smallestQuantum);
  });

  test('gives few destinations all of their windows, but for what is not worth a grant', () => {
    let demands = tenants(3).map((id) => demand([lane(1, id)], 0, id));
    for (let pass = 0; pass < 5; pass++) demands = grow(demands);
    for (const { outstanding } of demands) expect(outstanding).toBeGreaterThan(5_000);
  });

  test('gives none to a destination that holds as much as is left', () => {
    const others = tenants(5).map((id) => demand([], 4_600, 10 + id));
    const plan = planShares([demand([lane(1)], 3_500), ...others], limits, new Map());
    expect(plan.shares, '3,500 are left').toEqual([]);
    const fewer = planShares([demand([lane(1)], 3_500), ...others.slice(1)], limits, new Map());
    expect(fewer.shares.map(({ messages }) => messages)).toEqual([2_500]);
  });

  test('is shared alike by those that want it at once', () => {
    const demands = tenants(40).map((id) => demand([lane(1, id)], 0, id));
    const { shares } = planShares(demands, limits, new Map());
    expect(new Set(shares.map(({ messages }) => messages))).toEqual(new Set([375]));
  });

  /** All of them stall: what they were given stays outstanding. */
  function grow(demands: readonly DestinationDemand[]): DestinationDemand[] {
    const { shares } = planShares(demands, limits, new Map());
    return demands.map((one) => {
      const more = shares
        .filter((share) => share.lane.destinationId === one.destinationId)
        .map(({ messages }) => messages);
      return { ...one, outstanding: one.outstanding + sum(more) };
    });
  }
});

test('no window and no total is ever overdrawn; each lane has at most one share, of at least one message', () => {
  const demands = fc.uniqueArray(
    fc.record({
      destinationId: fc.integer({ min: 1, max: 30 }),
      outstanding: fc.nat(8_000),
      lanes: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 2 })), {
        maxLength: 60,
        selector: ([tenantId, deliveryClass]) => `${tenantId}/${deliveryClass}`,
      }),
    }),
    { selector: (one) => one.destinationId, maxLength: 30 },
  );
  fc.assert(
    fc.property(demands, (given) => {
      const all = given.map(({ destinationId, outstanding, lanes }) =>
        demand(
          lanes.map(([tenantId, c]) => lane(tenantId, destinationId, c)),
          outstanding,
          destinationId,
        ),
      );
      const { shares } = planShares(all, limits, new Map());
      expect(new Set(shares.map((share) => share.lane)).size).toBe(shares.length);
      expect(shares.every(({ messages }) => messages >= 1)).toBe(true);
      const outstanding = sum(all.map((one) => one.outstanding));
      expect(sum(shares.map(({ messages }) => messages))).toBeLessThanOrEqual(
        Math.max(0, limits.windowTotal - outstanding),
      );
      const free = Math.max(0, limits.windowTotal - outstanding);
      for (const one of all) {
        const mine = sum(
          shares
            .filter((share) => share.lane.destinationId === one.destinationId)
            .map(({ messages }) => messages),
        );
        expect(mine === 0 || one.outstanding + mine <= Math.min(limits.windowPerDestination, free)).toBe(
          true,
        );
      }
    }),
  );
});
