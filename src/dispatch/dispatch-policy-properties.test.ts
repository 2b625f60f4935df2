/** What holds of every plan, whatever is asked for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DestinationDemand, DueLane } from './demand.ts';
import { demandOf, laneOf, outstandingOf, totalOf, transactional } from './demand-fixture.ts';
import { type DispatchPlan, planShares } from './dispatch-policy.ts';

const limits = { totalMessages: 40_000 };
const plan = (demands: readonly DestinationDemand[]) => planShares(demands, limits, new Map());

const anyLane = fc.record({
  tenantId: fc.integer({ min: 1, max: 99 }),
  class: fc.integer({ min: 0, max: 2 }),
  weight: fc.integer({ min: 1, max: 1_000 }),
  waiting: fc.option(fc.nat(3_000), { nil: undefined }),
});
const anyDemand = fc.record({
  destinationId: fc.integer({ min: 1, max: 30 }),
  windowMessages: fc.oneof(fc.nat(20), fc.nat(8_000)),
  byClass: fc.tuple(fc.nat(3_000), fc.nat(3_000), fc.nat(3_000)),
  lanes: fc.uniqueArray(anyLane, { maxLength: 40, selector: (lane) => `${lane.tenantId}/${lane.class}` }),
});
const anyDemands = fc
  .uniqueArray(anyDemand, { selector: (one) => one.destinationId, maxLength: 30 })
  .map((all) =>
    all.map(({ destinationId, windowMessages, byClass, lanes }) => ({
      ...{ destinationId, windowMessages, outstanding: outstandingOf(byClass) },
      lanes: lanes.map((lane): DueLane => ({ ...lane, destinationId })),
    })),
  );
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

/** Transactional mail may always have its eighth, or four messages; the others never come to more than the rest. */
function expectWithinWindow(one: DestinationDemand, { shares }: DispatchPlan) {
  const { windowMessages, outstanding } = one;
  const kept =
    windowMessages <= 4
      ? 0
      : Math.min(Math.max(4, Math.ceil(windowMessages / 8)), Math.floor(windowMessages / 2));
  const mine = shares.filter(({ lane }) => lane.destinationId === one.destinationId);
  const added = (isMine: (deliveryClass: number) => boolean) =>
    sum(mine.filter(({ lane }) => isMine(lane.class)).map(({ messages }) => messages));
  const [urgent, ...others] = outstanding.byClass;
  const [moreUrgent, moreOthers] = [added((c) => c === transactional), added((c) => c !== transactional)];
  if (moreOthers > 0) expect(sum(others) + moreOthers).toBeLessThanOrEqual(windowMessages - kept);
  if (moreUrgent > 0)
    expect(urgent + moreUrgent).toBeLessThanOrEqual(
      Math.max(kept, windowMessages - sum(others) - moreOthers),
    );
}

test('no window and no total is ever overdrawn; each lane has at most one share, of what it has waiting', () => {
  fc.assert(
    fc.property(anyDemands, (demands) => {
      const planned = plan(demands);
      expect(new Set(planned.shares.map((share) => share.lane)).size).toBe(planned.shares.length);
      for (const { lane, messages } of planned.shares) {
        expect(messages).toBeGreaterThanOrEqual(1);
        expect(messages).toBeLessThanOrEqual((lane as DueLane).waiting ?? 0);
      }
      const held = sum(demands.flatMap((one) => one.outstanding.byClass));
      expect(totalOf(planned)).toBeLessThanOrEqual(Math.max(0, limits.totalMessages - held));
      for (const one of demands) expectWithinWindow(one, planned);
    }),
  );
});

test('work-conserving: of an idle destination all goes that is waiting, or all of its window that the class may use', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyLane, { minLength: 1, maxLength: 60, selector: (lane) => lane.tenantId }),
      fc.integer({ min: 1, max: 8_000 }),
      fc.integer({ min: 0, max: 2 }),
      (lanes, windowMessages, deliveryClass) => {
        const mine = lanes.map(({ tenantId, weight, waiting = 0 }) =>
          laneOf(tenantId, { weight, waiting, class: deliveryClass }),
        );
        const waiting = sum(mine.map((lane) => lane.waiting ?? 0));
        const kept =
          windowMessages -
          totalOf(plan([demandOf([laneOf(1, { class: deliveryClass })], { windowMessages })]));
        // Newcomers may have what is kept for them; nobody need leave more than that.
        expect(totalOf(plan([demandOf(mine, { windowMessages })]))).toBeGreaterThanOrEqual(
          Math.min(waiting, windowMessages - kept),
        );
        expect(kept).toBeLessThanOrEqual(
          deliveryClass === 0 ? 0 : Math.max(4, Math.ceil(windowMessages / 8)) + windowMessages / 8,
        );
      },
    ),
  );
});
