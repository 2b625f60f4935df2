/** The policy in a closed loop: a destination that serves first come, first served at a rate, and a pass every 50 ms. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DueLane, Share } from './demand.ts';
import { demandOf, laneOf, numbersTo } from './demand-fixture.ts';
import { planShares, type Turns } from './dispatch-policy.ts';
import { quantumOf, smallestQuantum } from './lane-turns.ts';

const passMs = 50;
const limits = { totalMessages: 100_000 };

interface Tenant {
  readonly id: number;
  readonly weight: number;
  waiting: number;
  served: number;
}

type Policy = (lanes: readonly DueLane[], windowMessages: number, outstanding: number) => readonly Share[];

/** Remembers its turns. */
function ours(): Policy {
  let turns: Turns = new Map();
  return (lanes, windowMessages, outstanding) => {
    const held = { byClass: [0, 0, outstanding] as const, byTenant: new Map<number, number>() };
    const plan = planShares([demandOf(lanes, { windowMessages, outstanding: held })], limits, turns);
    turns = plan.turns;
    return plan.shares;
  };
}

/** To each according to its backlog: what a queue that is first come, first served does. */
const byBacklog: Policy = (lanes, windowMessages, outstanding) => {
  const backlog = lanes.reduce((sum, { waiting = 0 }) => sum + waiting, 0);
  const room = windowMessages - outstanding;
  return lanes.map((lane) => ({ lane, messages: Math.floor(((lane.waiting ?? 0) / backlog) * room) }));
};

class Loop {
  readonly tenants: Tenant[];
  readonly #policy: Policy;
  readonly #window: number;
  #queue: { readonly tenant: Tenant; n: number }[] = [];

  constructor(tenants: Tenant[], window: number, policy: Policy) {
    this.tenants = tenants;
    this.#window = window;
    this.#policy = policy;
  }

  pass(): void {
    const byId = new Map(this.tenants.map((tenant) => [tenant.id, tenant]));
    const lanes = this.tenants
      .filter(({ waiting }) => waiting > 0)
      .map(({ id, weight, waiting }) => laneOf(id, { weight, waiting }));
    const outstanding = this.#queue.reduce((sum, { n }) => sum + n, 0);
    for (const { lane, messages } of this.#policy(lanes, this.#window, outstanding)) {
      const tenant = byId.get(lane.tenantId) as Tenant;
      tenant.waiting -= messages;
      this.#queue.push({ tenant, n: messages });
    }
  }

  /** So many leave, one after the other; `seen` is told how many left before, and says whether to go on. */
  serve(messages: number, seen: (tenant: Tenant, before: number) => boolean = () => true): boolean {
    let before = 0;
    for (let head = this.#queue[0]; head && before < messages; head = this.#queue[0]) {
      const n = Math.min(head.n, messages - before);
      if (n > 0 && !seen(head.tenant, before)) return false;
      head.tenant.served += n;
      head.n -= n;
      before += n;
      if (head.n === 0) this.#queue.shift();
    }
    return true;
  }
}

/** 1: all alike; 1/n: one has everything. */
function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, n) => total + n, 0);
  const squares = values.reduce((total, n) => total + n * n, 0);
  return sum ** 2 / (values.length * squares);
}

describe('1,000 tenants with sizes after Zipf', () => {
  const weights = [50, 100, 200, 400];
  function fairnessOf(policy: Policy): number {
    const tenants = numbersTo(1_000).map((id) => ({
      ...{ id, weight: weights[id % weights.length] as number, served: 0 },
      waiting: Math.floor(3_000_000 / id),
    }));
    const loop = new Loop(tenants, 6_000, policy);
    for (let pass = 0; pass < 400; pass++) {
      loop.pass();
      loop.serve(1_500);
    }
    const backlogged = tenants.filter(({ waiting }) => waiting > 0);
    expect(backlogged.length).toBeGreaterThan(900);
    return jainIndex(backlogged.map(({ served, weight }) => served / weight));
  }

  test('are served in proportion to their weights', () => {
    expect(fairnessOf(ours())).toBeGreaterThan(0.95);
  });

  test('would not be by backlog', () => {
    expect(fairnessOf(byBacklog)).toBeLessThan(0.1);
  });
});

interface Neighbourhood {
  readonly perSecond: number;
  /** What the window holds of the rate. */
  readonly windowSeconds: number;
  readonly weights: readonly number[];
  readonly quietPlace: number;
  readonly quietMessages: number;
  readonly passesBefore: number;
}

const neighbourhoods: fc.Arbitrary<Neighbourhood> = fc.record({
  perSecond: fc.integer({ min: 20, max: 3_000 }),
  windowSeconds: fc.integer({ min: 1, max: 5 }),
  weights: fc.array(fc.constantFrom(10, 50, 100, 300, 1_000), { minLength: 1, maxLength: 60 }),
  quietPlace: fc.nat(60),
  quietMessages: fc.integer({ min: 1, max: 300 }),
  passesBefore: fc.nat(60),
});

/** The formula of dispatch-policy.ts. */
function boundMs({ perSecond, windowSeconds, weights }: Neighbourhood): number {
  const window = perSecond * windowSeconds;
  const quantum = quantumOf(window, weights.length + 1);
  const quanta = [...weights, 100].map((weight) => Math.max(smallestQuantum, (quantum * weight) / 100));
  return ((window + quanta.reduce((sum, n) => sum + n, 0)) / perSecond) * 1_000 + 2 * passMs;
}

function waitMs(neighbourhood: Neighbourhood, policy: Policy, backlog = 10_000_000): number {
  const { perSecond, windowSeconds, weights, quietPlace, quietMessages, passesBefore } = neighbourhood;
  const whales = weights.map((weight, i) => ({ id: 2 * i + 1, weight, waiting: backlog, served: 0 }));
  const quiet = { id: 2 * (quietPlace % (weights.length + 1)), weight: 100, waiting: 0, served: 0 };
  const loop = new Loop([...whales, quiet], perSecond * windowSeconds, policy);
  let owed = 0;
  for (let pass = 0; pass < passesBefore + 20_000; pass++) {
    if (pass === passesBefore) quiet.waiting = quietMessages;
    loop.pass();
    owed += (perSecond * passMs) / 1_000;
    let left = 0;
    const goOn = loop.serve(Math.floor(owed), (tenant, before) => {
      left = before;
      return tenant !== quiet;
    });
    if (!goOn) return (pass - passesBefore) * passMs + (left / perSecond) * 1_000;
    owed -= Math.floor(owed);
  }
  return Number.POSITIVE_INFINITY;
}

describe("a quiet tenant's first message", () => {
  test('leaves within the window and one quantum of each active tenant, by the rate, and two passes', () => {
    fc.assert(
      fc.property(neighbourhoods, (neighbourhood) => {
        expect(waitMs(neighbourhood, ours())).toBeLessThanOrEqual(boundMs(neighbourhood));
      }),
      { numRuns: 150 },
    );
  });

  const busy: Neighbourhood = {
    ...{ perSecond: 1_000, windowSeconds: 3, weights: [100, 300, 10, 100, 100], quietPlace: 2 },
    ...{ quietMessages: 5, passesBefore: 40 },
  };

  test('does not wait longer for a neighbour with a thousand times as much', () => {
    expect(waitMs(busy, ours(), 10_000_000)).toBe(waitMs(busy, ours(), 10_000));
    expect(waitMs(busy, ours())).toBeGreaterThan(1_000);
  });

  test('would wait for the whole backlog by a policy that goes by backlog', () => {
    expect(waitMs(busy, byBacklog)).toBeGreaterThan(10 * boundMs(busy));
  });
});
