import { describe, expect, test } from 'vitest';
import type { DestinationDemand, DueLane } from './demand.ts';
import {
  campaign,
  demandOf,
  flow,
  given,
  laneOf,
  numbersTo,
  outstandingOf,
  totalOf,
  transactional,
} from './demand-fixture.ts';
import { planReads, planShares, type Turns } from './dispatch-policy.ts';
import { hasRoom, hasRoomForNewcomers } from './window-room.ts';

const limits = { totalMessages: 40_000 };
const fromStart: Turns = new Map();
const plan = (demands: readonly DestinationDemand[], turns = fromStart) => planShares(demands, limits, turns);
const inClass = (deliveryClass: number, held: number) =>
  outstandingOf([0, 1, 2].map((c) => (c === deliveryClass ? held : 0)) as [number, number, number]);

describe('a window', () => {
  test('goes to a lane that is alone but for what is kept for transactional mail and newcomers, and in equal parts to several', () => {
    expect(given(plan([demandOf([laneOf(1)])]))).toEqual([[1, campaign, 6_000]]);
    expect(given(plan([demandOf([laneOf(1, { class: transactional })])]))).toEqual([
      [1, transactional, 8_000],
    ]);
    const three = given(plan([demandOf([laneOf(3), laneOf(1), laneOf(2)])]));
    for (const [, , messages] of three) expect(Math.abs(messages - 6_000 / 3)).toBeLessThan(500);
    expect(three.map(([tenantId]) => tenantId)).toEqual([3, 1, 2]);
  });

  test('of nothing is closed, and of one message gives one', () => {
    const lanes = [laneOf(1), laneOf(2), laneOf(3, { class: flow })];
    expect(plan([demandOf(lanes, { windowMessages: 0 })]).shares).toEqual([]);
    expect(totalOf(plan([demandOf(lanes, { windowMessages: 1 })]))).toBe(1);
    expect(plan([demandOf(lanes, { windowMessages: 1, outstanding: inClass(campaign, 1) })]).shares).toEqual(
      [],
    );
  });

  test('of one message gives it though the total is contended', () => {
    const crowd = numbersTo(30).map((id) =>
      demandOf([laneOf(1, { destinationId: id })], { destinationId: id, windowMessages: 8_000 }),
    );
    const probe = demandOf([laneOf(1, { destinationId: 99 })], { destinationId: 99, windowMessages: 1 });
    expect(totalOf(plan([...crowd, probe]), 99)).toBe(1);
  });

  test('that is nearly full waits until a grant is worth while, for transactional mail never', () => {
    const rooms = [0, 5_000, 5_500, 6_000, 9_000].map((held) => {
      const demand = demandOf([laneOf(1)], { outstanding: outstandingOf([0, 0, held], { 1: held }) });
      return [hasRoom(demand, campaign), hasRoom(demand, transactional), totalOf(plan([demand]))];
    });
    expect(rooms).toEqual([
      [true, true, 6_000],
      [true, true, 1_000],
      [false, true, 0],
      [false, true, 0],
      [false, true, 0],
    ]);
  });
});

describe('classes', () => {
  const all = [transactional, flow, campaign].map((c) => laneOf(c + 1, { class: c }));
  const byClass = (demand: DestinationDemand) =>
    [transactional, flow, campaign].map((c) =>
      given(plan([demand])).reduce((sum, [, one, n]) => sum + (one === c ? n : 0), 0),
    );

  test('share a contended window by their guarantees', () => {
    expect(byClass(demandOf(all))).toEqual([4_000, 2_000, 2_000]);
  });

  test('get what others do not want', () => {
    const few = [laneOf(1, { class: transactional, waiting: 10 }), laneOf(3)];
    expect(byClass(demandOf(few))).toEqual([10, 0, 6_000]);
    expect(
      byClass(
        demandOf([laneOf(1, { class: transactional, waiting: 10 }), laneOf(2, { class: flow }), laneOf(3)]),
      ),
    ).toEqual([10, 3_000, 3_000]);
  });

  test('that have less outstanding than their guarantee are filled up first', () => {
    expect(byClass(demandOf(all, { outstanding: outstandingOf([0, 0, 5_000]) }))).toEqual([2_000, 1_000, 0]);
    expect(byClass(demandOf(all, { outstanding: outstandingOf([7_999, 0, 0]) }))).toEqual([0, 1, 0]);
  });

  test('of bulk mail leave room for transactional mail, which goes at once', () => {
    const flooded = demandOf([laneOf(1, { class: transactional, waiting: 3 }), laneOf(2)], {
      outstanding: inClass(campaign, 7_000),
    });
    expect(byClass(flooded)).toEqual([3, 0, 0]);
  });

  test('of bulk mail that overfill a window that has shrunk leave transactional mail its eighth, or a few, never beyond a quota', () => {
    const shrunk = (held: readonly [number, number, number], changes: Partial<DestinationDemand> = {}) =>
      byClass(demandOf(all, { windowMessages: 64, outstanding: outstandingOf(held), ...changes }))[0];
    expect(
      [[0, 0, 3_000] as const, [6, 900, 60] as const, [8, 0, 60] as const].map((held) => shrunk(held)),
    ).toEqual([8, 2, 0]);
    expect(shrunk([0, 0, 3_000], { windowMessages: 32 })).toBe(4);
    expect(shrunk([0, 0, 60], { quotaMessages: 64 })).toBe(4);
    expect(shrunk([0, 0, 64], { quotaMessages: 64 })).toBe(0);
    expect(shrunk([0, 0, 64], { windowMessages: 0 }), 'closed').toBe(0);
  });

  test('wait for a refill that is worth while without losing it to another class', () => {
    const demand = demandOf(all, {
      outstanding: outstandingOf([4_000, 1_900, 1_900], { 2: 1_900, 3: 1_900 }),
    });
    expect(byClass(demand)).toEqual([0, 0, 0]);
  });
});

describe('a newcomer beside one that holds all it may', () => {
  const whale = laneOf(1);
  const full = { outstanding: outstandingOf([0, 0, 6_000], { 1: 6_000 }) };
  const beside = (lane: DueLane, changes: Partial<DestinationDemand> = {}, turns = fromStart) =>
    given(plan([demandOf([whale, lane], { ...full, ...changes })], turns));
  const marked = (mark: number): Turns => new Map([['1-2', { now: 9_000, marks: new Map([[2, mark]]) }]]);

  test('waits for none of its grants: a part of the window is kept for it', () => {
    const state = demandOf([], full);
    expect([hasRoom(state, campaign), hasRoomForNewcomers(state, campaign)]).toEqual([false, true]);
    expect(beside(laneOf(2, { waiting: 100 }))).toEqual([[2, campaign, 100]]);
    expect(beside(laneOf(2, { class: flow, waiting: 100 }))).toEqual([[2, flow, 100]]);
    expect(beside(laneOf(2))).toEqual([[2, campaign, 1_000]]);
  });

  test('is one no longer when it holds something, or was served a moment ago', () => {
    const both = outstandingOf([0, 0, 6_000], { 1: 5_900, 2: 100 });
    expect(beside(laneOf(2), { outstanding: both })).toEqual([]);
    expect(beside(laneOf(2), {}, marked(8_999))).toEqual([]);
  });

  test('leaves what is kept for transactional mail, and has no part of a small window', () => {
    const outstanding = outstandingOf([0, 0, 7_000], { 1: 7_000 });
    expect(beside(laneOf(2), { outstanding })).toEqual([]);
    const small = { windowMessages: 31, outstanding: outstandingOf([0, 0, 27], { 1: 27 }) };
    expect(hasRoomForNewcomers(demandOf([], small), campaign)).toBe(false);
  });
});

describe('the total', () => {
  const alone = (id: number, changes: Partial<DestinationDemand> = {}) =>
    demandOf([laneOf(1, { destinationId: id })], { destinationId: id, ...changes });

  test.each([transactional, campaign])(
    'leaves room for the next destination, however many stall with full windows (class %i)',
    (stalled) => {
      const ofClass = (id: number) =>
        alone(id, { lanes: [laneOf(1, { destinationId: id, class: stalled })] });
      let demands = numbersTo(40).map(ofClass);
      for (let pass = 0; pass < 50; pass++) demands = grow(demands);
      expect(totalOf(plan([...demands, alone(99)]), 99)).toBeGreaterThanOrEqual(16);
    },
  );

  test('gives few destinations all of their windows, but for what is not worth a grant', () => {
    let demands = numbersTo(3).map((id) => alone(id));
    for (let pass = 0; pass < 5; pass++) demands = grow(demands);
    for (const { outstanding } of demands) expect(outstanding.byClass[campaign]).toBeGreaterThan(6_000);
  });

  test('gives none to a destination that holds as much as is left', () => {
    const others = numbersTo(5).map((id) =>
      alone(10 + id, { lanes: [], outstanding: inClass(campaign, 6_600) }),
    );
    const mine = alone(1, { outstanding: inClass(campaign, 3_500) });
    expect(plan([mine, ...others]).shares, '3,500 are left').toEqual([]);
    expect(totalOf(plan([mine, ...others.slice(1)]))).toBe(2_500);
  });

  test('is shared alike by those that want it at once', () => {
    const { shares } = plan(numbersTo(40).map((id) => alone(id)));
    expect(new Set(shares.map(({ messages }) => messages))).toEqual(new Set([428]));
  });

  /** All of them stall: what they were given stays outstanding. */
  function grow(demands: readonly DestinationDemand[]): DestinationDemand[] {
    const planned = plan(demands);
    return demands.map((one) => ({
      ...one,
      outstanding: inClass(
        one.lanes[0]?.class ?? campaign,
        Math.max(...one.outstanding.byClass) + totalOf(planned, one.destinationId),
      ),
    }));
  }
});

describe('a noisy tenant', () => {
  test('has what others leave', () => {
    const outstanding = outstandingOf([0, 0, 5_000], { 1: 5_000 });
    const beside = (waiting: number) => {
      const quiet = [2, 3, 4, 5].map((id) => laneOf(id, { waiting }));
      return given(plan([demandOf([laneOf(1), ...quiet], { outstanding })]));
    };
    expect(beside(500).map(([tenantId, , messages]) => [tenantId, messages])).toEqual([
      [2, 500],
      [3, 500],
      [4, 500],
      [5, 500],
    ]);
    expect(beside(100)[0]).toEqual([1, campaign, 600]);
  });

  test('is not blamed for what hangs at a destination whose window has shrunk', () => {
    const hung = demandOf([], {
      ...{ destinationId: 9, windowMessages: 16 },
      outstanding: outstandingOf([0, 0, 5_000], { 1: 5_000 }),
    });
    const quiet = [2, 3, 4, 5].map((id) => laneOf(id, { waiting: 20 }));
    const [first] = given(
      plan([hung, demandOf([laneOf(1, { waiting: 20 }), ...quiet], { windowMessages: 64 })]),
    );
    expect(first).toEqual([1, campaign, 14]);
  });

  test('with a limit of its own never passes it', () => {
    const outstanding = outstandingOf([0, 0, 40], { 1: 40 });
    const held = demandOf([laneOf(1, { mostOutstanding: 45 })], { outstanding });
    const elsewhere = demandOf([laneOf(1, { mostOutstanding: 45, destinationId: 2 })], { destinationId: 2 });
    expect(totalOf(plan([held, elsewhere]))).toBe(5);
  });
});

test('lanes that were not looked into get nothing; reading looks into every class', () => {
  const lanes = [laneOf(1, { waiting: undefined }), laneOf(2, { class: transactional, waiting: undefined })];
  expect(plan([demandOf(lanes)]).shares).toEqual([]);
  const reads = planReads([demandOf(lanes)], limits, fromStart);
  expect(reads.map(({ lane, messages }) => [lane.tenantId, messages])).toEqual([
    [2, 8_000],
    [1, 6_000],
  ]);
});
