/** Properties of the policy, over arbitrary pools, facts and histories. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PoolFacts, type PoolSettings, type PoolState, poolStateOf } from './pool.ts';
import { decidePool } from './scaling-policy.ts';

const settings: PoolSettings = { min: 1, max: 50, drainSeconds: 60, idleMs: 600_000, downAfterMs: 120_000 };
const perSecondAndWorker = 100;
/** What one worker drains in time. */
const perWorker = perSecondAndWorker * settings.drainSeconds;
const facts: PoolFacts = {
  ...{ sendableMessages: 0, upcomingMessages: 0, busyPerSecond: 0, perSecondAndWorker },
  ...{ databaseCap: 1_000, elapsedMs: 5_000 },
};

const anySettings = fc.record({
  ...{
    min: fc.nat(5),
    max: fc.integer({ min: 5, max: 200 }),
    drainSeconds: fc.integer({ min: 1, max: 900 }),
  },
  ...{ idleMs: fc.nat(600_000), downAfterMs: fc.integer({ min: 1, max: 300_000 }) },
});
const anyFacts = fc.record({
  ...{
    sendableMessages: fc.nat(50_000_000),
    upcomingMessages: fc.nat(10_000_000),
    busyPerSecond: fc.nat(100_000),
  },
  ...{
    perSecondAndWorker: fc.integer({ min: 1, max: 20_000 }),
    databaseCap: fc.integer({ min: 1, max: 300 }),
  },
  elapsedMs: fc.nat(60_000),
});
const anyState: fc.Arbitrary<PoolState> = fc.record({
  ...{ desired: fc.nat(200), reason: fc.constant('backlog' as const), idleMs: fc.nat(900_000) },
  ...{ lowMs: fc.nat(300_000), lowPeak: fc.nat(200), sinceUpMs: fc.nat(60_000) },
});

test('a pool is never above its cap or below its floor', () => {
  fc.assert(
    fc.property(anyState, anyFacts, anySettings, (before, now, set) => {
      const { desired } = decidePool(before, now, set);
      const cap = Math.min(set.max, now.databaseCap);
      const scheduled = Math.ceil(now.upcomingMessages / (now.perSecondAndWorker * set.drainSeconds));
      expect(desired).toBeLessThanOrEqual(cap);
      expect(desired).toBeGreaterThanOrEqual(Math.min(cap, Math.max(set.min, scheduled)));
    }),
  );
});

test('steps are bounded: at most as many come as there are, two at first, and a quarter goes', () => {
  fc.assert(
    fc.property(anyState, anyFacts, anySettings, (before, now, set) => {
      const { desired } = decidePool(before, { ...now, upcomingMessages: 0 }, { ...set, min: 0 });
      const cap = Math.min(set.max, now.databaseCap);
      expect(desired - before.desired).toBeLessThanOrEqual(Math.max(2, before.desired));
      const least = before.desired - Math.max(1, Math.floor(before.desired / 4));
      expect(desired).toBeGreaterThanOrEqual(Math.min(least, cap));
    }),
  );
});

test('a larger backlog never asks for fewer workers', () => {
  fc.assert(
    fc.property(anyState, anyFacts, anySettings, fc.nat(10_000_000), (before, now, set, more) => {
      const { desired } = decidePool(before, now, set);
      const larger = { ...now, sendableMessages: now.sendableMessages + more };
      expect(decidePool(before, larger, set).desired).toBeGreaterThanOrEqual(desired);
    }),
  );
});

test('a load that varies by a tenth changes the pool once at most, and in one direction', () => {
  const noise = fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), { minLength: 300, maxLength: 400 });
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.double({ min: 0.05, max: 40, noNaN: true }),
      noise,
      (start, workers, factors) => {
        const states = [poolStateOf(Math.min(start, settings.max))];
        for (const factor of factors) {
          const sendableMessages = workers * perWorker * factor;
          states.push(decidePool(states.at(-1) as PoolState, { ...facts, sendableMessages }, settings));
        }
        const sizes = states.map(({ desired }) => desired);
        const moves = sizes.slice(1).map((size, i) => Math.sign(size - (sizes[i] as number)));
        expect(new Set(moves.filter((move) => move !== 0)).size).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 50 },
  );
});

/** Decides every five seconds, with the same facts, until the time is over. */
function decideFor(
  before: PoolState,
  now: Partial<PoolFacts>,
  set: PoolSettings,
  seconds: number,
): PoolState {
  let state = before;
  for (let at = 0; at < seconds; at += 5) state = decidePool(state, { ...facts, ...now }, set);
  return state;
}

test('a pool whose minimum is zero gives up its last worker only after a while, and starts from zero at once', () => {
  const toZero = { ...settings, min: 0 };
  expect(decideFor(poolStateOf(3), {}, toZero, 595).desired).toBe(1);
  expect(decideFor(poolStateOf(3), {}, toZero, 640).desired).toBe(0);
  const one = decidePool(poolStateOf(0), { ...facts, sendableMessages: 1 }, toZero);
  expect(one).toMatchObject({ desired: 1, reason: 'backlog' });
  expect(decideFor(poolStateOf(3), { busyPerSecond: 1 }, toZero, 3_600).desired).toBe(1);
});

test('a pool shrinks only when fewer would have done all the while', () => {
  const little = { sendableMessages: 2 * perWorker };
  const early = decideFor(poolStateOf(8), little, settings, 115);
  expect(early).toMatchObject({ desired: 8, reason: 'settling' });
  expect(decideFor(early, little, settings, 10).desired).toBe(6);
  const again = decidePool(early, { ...facts, sendableMessages: 7 * perWorker }, settings);
  expect(decideFor(again, little, settings, 115).desired).toBe(8);
});

test('a load that ends between two steps down keeps nobody', () => {
  const two = { busyPerSecond: 1.5 * perSecondAndWorker };
  const stepped = decideFor(poolStateOf(3), two, settings, 120);
  expect(stepped).toMatchObject({ desired: 2, lowPeak: 2 });
  expect(decideFor(stepped, {}, settings, 90).desired).toBe(1);
});

test('campaigns that are scheduled have their workers before anything waits, at once', () => {
  const soon = decidePool(poolStateOf(1), { ...facts, upcomingMessages: 12 * perWorker }, settings);
  expect(soon).toMatchObject({ desired: 12, reason: 'scheduled' });
});

test('workers that are at work stay while the backlog goes', () => {
  const draining = { sendableMessages: perWorker / 10, busyPerSecond: 8 * perSecondAndWorker };
  expect(decideFor(poolStateOf(10), draining, settings, 3_600)).toMatchObject({ desired: 10 });
  expect(decideFor(poolStateOf(16), draining, settings, 3_600)).toMatchObject({
    desired: 10,
    reason: 'settling',
  });
});

test('it is said why', () => {
  const much = { ...facts, sendableMessages: 200 * perWorker };
  const reason = (now: Partial<PoolFacts>, desired: number) =>
    decidePool(poolStateOf(desired), { ...much, ...now }, settings).reason;
  expect(reason({}, 4)).toBe('step');
  expect(reason({}, 50)).toBe('maximum');
  expect(reason({ databaseCap: 7 }, 7)).toBe('database');
  expect(reason({ sendableMessages: 0 }, 1)).toBe('minimum');
});

test.each([1, 4, 20, 45])(
  'in a closed loop a backlog for %i workers is gone in time, whatever they take to start',
  (workers) => {
    const startSeconds = 20;
    const rampSeconds = startSeconds + 15 * Math.ceil(Math.log2(workers + 1)) + 5;
    const drained = drain(workers * perWorker, startSeconds);
    expect(drained.seconds).toBeLessThanOrEqual(settings.drainSeconds + rampSeconds);
    expect(drained.most).toBeLessThanOrEqual(workers + 1);
  },
);

/** Workers that start late and stop at once, each at its rate; decided every five seconds until all is gone. */
function drain(backlog: number, startSeconds: number): { seconds: number; most: number } {
  let left = backlog;
  let state = poolStateOf(1);
  let most = 1;
  const startedAt: number[] = [-startSeconds];
  for (let second = 0; second < 10_000; second++) {
    const running = startedAt.filter((at) => second >= at + startSeconds).length;
    const rate = Math.min(left, running * perSecondAndWorker);
    left -= rate;
    if (left <= 0) return { seconds: second, most };
    if (second % 5 !== 0) continue;
    state = decidePool(state, { ...facts, sendableMessages: left, busyPerSecond: rate }, settings);
    most = Math.max(most, state.desired);
    while (startedAt.length < state.desired) startedAt.push(second);
    startedAt.length = state.desired;
  }
  return { seconds: Number.POSITIVE_INFINITY, most };
}
