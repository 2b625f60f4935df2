/** What a sender may send and how many connections it may have: tokens, and what the fleet knows of the destination. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Pace } from '../pacing/pace.ts';
import type { Bucket } from '../pacing/rate-gate.ts';
import type { Outcome } from '../transports/contract.ts';
import { testRun } from './fixtures.ts';
import { expectSettled, freshRun, ok, stage } from './scripted-sender.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('no token is taken for a message that is not there', async () => {
  let tokens = 0;
  const { sender, inState } = stage({
    perSecond: 1_000,
    take: async (_, wanted) => {
      tokens += wanted;
      return { granted: wanted, waitMs: 0 };
    },
  });
  await Promise.all([sender.send(freshRun(150, 1)), sender.send(freshRun(7, 2))]);
  expect(inState('sent')).toHaveLength(157);
  expect(tokens).toBe(157);
});

test('without a token within two seconds the run ends, held until there is one', async () => {
  const { sender, results } = stage({ perSecond: 0.1, take: async () => ({ granted: 0, waitMs: 9_000 }) });
  const run = freshRun(10);
  await sender.send(run);
  expectSettled(run);
  expect(run.holdMs).toBe(9_000);
  expect(results).toEqual([]);
});

const throttled: Outcome = {
  kind: 'deferred',
  reply: { code: 421, text: '4.7.28 too fast for bob@example.com' },
  class: 'throttled',
  effect: { action: 'slow', scope: 'destination' },
};
const paceOf = (some: Partial<Pace>): Pace => ({
  ...{
    windowMessages: 100,
    learntPerSecond: undefined,
    measuredPerSecond: 0,
    breaker: 'closed',
    closedForMs: 0,
  },
  ...{ limitedBy: 'none', inFlight: 0, connections: 0, lastReplies: [] },
  ...some,
});

describe('what the fleet knows', () => {
  test('is taught every outcome, without addresses, and nothing by a message that was called back', async () => {
    const { sender, script, taught } = stage({ maxCouriers: 1 });
    script.deliver = async (seq) => (seq === 1 ? throttled : ok);
    const sending = sender.send(freshRun(3));
    await vi.waitFor(() => {
      vi.advanceTimersByTime(100);
      expect(taught).toHaveLength(4);
    });
    await sending;
    expect(taught.map(({ kind }) => kind)).toEqual(['opened', 'accepted', 'throttled', 'accepted']);
    expect(taught[2]?.reply).toEqual({ code: 421, text: '4.7.28 too fast for ***', class: 'throttled' });
  });

  test('a rest of the account is one of all its destinations, a rest of the destination is not', async () => {
    const { sender, script, taught, taughtOther } = stage({ maxCouriers: 1 });
    const resting = (scope: 'destination' | 'transport'): Outcome => ({
      ...{ kind: 'deferred', reply: { code: 454, text: 'no' }, class: 'throttled' },
      effect: { action: 'rest', scope, durationMs: 60_000 },
    });
    script.deliver = async (seq) => resting(seq === 0 ? 'destination' : 'transport');
    const sending = sender.send(freshRun(2));
    await vi.waitFor(() => {
      vi.advanceTimersByTime(100);
      expect(taught).toHaveLength(3);
    });
    await sending;
    expect(taughtOther).toMatchObject([{ kind: 'throttled', restMs: 60_000 }]);
  });

  test('a learnt rate holds, and the smaller of it and a configured one', async () => {
    const asked: (readonly Bucket[])[] = [];
    const { sender, script } = stage({
      perSecond: 50,
      take: async (buckets, wanted) => {
        asked.push(buckets);
        return { granted: wanted, waitMs: 0 };
      },
    });
    script.pace = paceOf({ learntPerSecond: 20 });
    await sender.send(freshRun(3));
    script.pace = paceOf({ learntPerSecond: 80 });
    await sender.send(freshRun(3, 2));
    expect(new Set(asked.map(([bucket]) => bucket?.perSecond))).toEqual(new Set([20, 50]));
    expect(new Set(asked.map(([bucket]) => bucket?.name))).toEqual(new Set(['d:7']));
  });

  test('a closed destination gives its grants back at once', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 1 });
    const run = freshRun(100);
    let go: () => void = () => {};
    script.deliver = () => new Promise((resolve) => (go = () => resolve(ok)));
    const sending = sender.send(run);
    await vi.waitFor(() => expect(run.open).toBeGreaterThan(0));
    sender.heedPace(paceOf({ closedForMs: 30_000 }));
    go();
    await sending;
    expect(run.holdMs).toBe(30_000);
    expect(inState('sent')).toHaveLength(1);
  });

  test('what waited and went back is no reason to want connections any longer', async () => {
    const { sender, script, seen, advance } = stage({ maxCouriers: 5 });
    script.allowed = () => 2;
    const release: (() => void)[] = [];
    script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
    const sending = sender.send(freshRun(100));
    await vi.waitFor(() => expect(release).toHaveLength(2));
    expect(seen.wanted).toBe(5);
    sender.heedPace(paceOf({ closedForMs: 60_000 }));
    advance(500);
    expect(seen.wanted, 'the two that hang').toBe(2);
    for (const go of release) go();
    await sending;
  });

  test('connections that are no longer ours go home, idle ones too', async () => {
    const { sender, script, seen } = stage({ maxCouriers: 3 });
    const release: (() => void)[] = [];
    script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
    const sending = sender.send(freshRun(3));
    await vi.waitFor(() => expect(release).toHaveLength(3));
    script.allowed = () => 1;
    for (const go of release) go();
    await sending;
    await vi.waitFor(() => {
      sender.heedAllowance();
      expect(seen.connections).toBe(1);
    });
  });
});

test("a run whose campaign's rate has no token rests; others go on", async () => {
  const { sender, inState, advance } = stage({
    take: async (buckets, wanted) =>
      buckets.some(({ name }) => name === 'c:2')
        ? { granted: 0, waitMs: 500, limitedBy: 'c:2' }
        : { granted: wanted, waitMs: 0 },
  });
  const slow = sender.send(testRun(5, { claimedAt: 1_000, buckets: [{ name: 'c:2', perSecond: 1 }] }));
  await sender.send(freshRun(20, 2));
  expect(inState('sent')).toHaveLength(20);
  for (let i = 0; i < 30; i++) advance(500);
  await slow;
  expect(inState('sent')).toHaveLength(20);
});
