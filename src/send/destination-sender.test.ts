import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Pace } from '../pacing/pace.ts';
import type { Bucket } from '../pacing/rate-gate.ts';
import type { Outcome } from '../transports/contract.ts';
import { testRun } from './fixtures.ts';
import type { GrantRun } from './grant-run.ts';
import { startWithinMs } from './outgoing.ts';
import { broken, ok, refusedAccount, stage } from './scripted-sender.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const fresh = (n: number, chunkNo?: number) =>
  testRun(n, { claimedAt: 1_000, ...(chunkNo !== undefined && { chunkNo }) });
const seqsOf = (results: readonly { seq: number }[]) => results.map(({ seq }) => seq);
const settled = (run: GrantRun) => expect([run.waiting, run.open]).toEqual([0, 0]);

test('every message of every run is handed over once, over no more connections than allowed', async () => {
  const { sender, inState, seen } = stage();
  const runs = [fresh(200, 1), fresh(3, 2), fresh(0, 3)];
  await Promise.all(runs.map((run) => sender.send(run)));
  runs.forEach(settled);
  expect(inState('sent')).toHaveLength(203);
  expect(seen.most).toBeLessThanOrEqual(3);
  await sender.stop();
  expect(seen.connections).toBe(0);
});

describe('no run is left without an end', () => {
  test('when all connections break and none can be opened, with messages ready and intents under way', async () => {
    const { sender, script, inState } = stage();
    const run = fresh(100);
    script.deliver = async (seq, courier) => {
      if (seq < 5) return ok;
      courier.isUsable = false;
      script.open = async () => 'failed';
      return broken;
    };
    await sender.send(run);
    settled(run);
    expect(inState('sent')).toHaveLength(5);
    expect(inState('pending').length).toBeGreaterThan(0);
    expect(run.holdMs).toBeGreaterThan(0);
  });

  test('when the last connection breaks while an intent is under way', async () => {
    const { sender, script } = stage({ maxCouriers: 1 });
    const run = fresh(100);
    let commit: () => void = () => {};
    script.deliver = async (seq, courier) => {
      if (seq < 4) return ok;
      courier.isUsable = false;
      script.open = async () => 'failed';
      script.intended = () =>
        new Promise<void>((resolve) => {
          commit = resolve;
        });
      return broken;
    };
    const sending = sender.send(run);
    await vi.waitFor(() => expect(run.holdMs).toBeGreaterThan(0));
    commit();
    await sending;
    settled(run);
  });

  test('when a message comes back after the account was refused', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 2 });
    const run = fresh(2);
    let breakOff: () => void = () => {};
    script.deliver = async (seq, courier) => {
      if (seq === 1) return refusedAccount;
      await new Promise<void>((resolve) => {
        breakOff = resolve;
      });
      courier.isUsable = false;
      return broken;
    };
    const sending = sender.send(run);
    await vi.waitFor(() => expect(inState('deferred')).toHaveLength(1));
    breakOff();
    await sending;
    settled(run);
    expect(inState('pending')).toHaveLength(1);
  });

  test('when the last connection goes within a second of another that could not be opened', async () => {
    const { sender, script, inState, seen } = stage();
    const run = fresh(40);
    script.open = async (n) => (n === 2 || n === 3 ? 'failed' : 'open');
    let handed = 0;
    script.deliver = async (_, courier) => {
      if (++handed === 10) courier.isUsable = false;
      return ok;
    };
    await sender.send(run);
    settled(run);
    expect(inState('sent')).toHaveLength(40);
    expect(seen.opens).toBeGreaterThan(3);
  });

  test('when the account is refused: what is ready goes back, and later runs are held', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 1 });
    const run = fresh(100);
    script.deliver = async (seq) => (seq < 20 ? ok : refusedAccount);
    await sender.send(run);
    settled(run);
    expect(inState('deferred')).toHaveLength(1);
    expect(run.holdMs).toBe(60_000);
    const later = fresh(5, 9);
    await sender.send(later);
    expect(later.holdMs).toBeGreaterThan(0);
    expect(inState('sent')).toHaveLength(20);
  });

  test('when opening throws', async () => {
    const { sender, script } = stage();
    script.open = () => Promise.reject(new Error('a bug'));
    const run = fresh(10);
    await sender.send(run);
    settled(run);
  });

  test('when intents fail: the messages are retracted and others asked for after a pause', async () => {
    const { sender, script, inState, advance } = stage();
    let calls = 0;
    script.intended = () => (++calls === 1 ? Promise.reject(new Error('away')) : Promise.resolve());
    const run = fresh(50);
    const sending = sender.send(run);
    await vi.waitFor(() => expect(inState('pending').length).toBeGreaterThan(0));
    advance(500);
    await sending;
    settled(run);
    expect(inState('sent').length + inState('pending').length).toBe(50);
  });
});

test('an intent is as old as its asking: what was answered to a worker that was stopped does not start', async () => {
  const { sender, script, inState, advance } = stage();
  let calls = 0;
  script.intended = async () => {
    if (++calls === 1) advance(startWithinMs);
  };
  const run = fresh(70);
  await sender.send(run);
  settled(run);
  expect(inState('pending').length).toBeGreaterThan(0);
  expect(inState('pending').length + inState('sent').length).toBe(70);
});

test('after an outage it opens again when runs come again', async () => {
  const { sender, script, inState, advance } = stage();
  script.open = async () => 'failed';
  await sender.send(fresh(10, 1));
  script.open = async () => 'open';
  advance(20_000);
  await sender.send(testRun(10, { claimedAt: 21_000, chunkNo: 2 }));
  expect(inState('sent')).toHaveLength(10);
});

test('a message that always breaks its connection waits; the rest of its chunk is not held up by it for ever', async () => {
  const { sender, script, inState } = stage({ maxCouriers: 1 });
  const handed: number[] = [];
  script.deliver = async (seq, courier) => {
    handed.push(seq);
    if (seq !== 0) return ok;
    courier.isUsable = false;
    return broken;
  };
  const run = fresh(20);
  await sender.send(run);
  settled(run);
  expect(handed.filter((seq) => seq === 0)).toHaveLength(3);
  expect(inState('deferred')).toMatchObject([{ seq: 0, isAttemptFree: true }]);
});

test('what can not start in time is retracted, and a lease that was not renewed ends the run', async () => {
  const { sender, script, inState, advance } = stage({ maxCouriers: 1 });
  const run = fresh(300);
  script.deliver = async (seq) => {
    if (seq === 10) advance(28_000);
    return ok;
  };
  await sender.send(run);
  settled(run);
  expect(inState('sent')).toHaveLength(11);
});

test('a lease that is no longer trusted starts nothing, and its run is not asked for any more', async () => {
  const { sender, script, inState, advance } = stage({ maxCouriers: 1 });
  const run = testRun(400, { claimedAt: 1_000 - 26_500 });
  script.deliver = async (seq) => {
    if (seq === 20) advance(600);
    return ok;
  };
  await sender.send(run);
  settled(run);
  expect(inState('sent')).toHaveLength(21);
  expect(inState('pending').length, 'only what was ready or asked for').toBeLessThan(200);
});

test('a connection that is still closing counts as one', async () => {
  const { sender, script, seen } = stage({ maxCouriers: 2 });
  let handed = 0;
  script.deliver = async (_, courier) => {
    if (++handed % 7 === 0) courier.isUsable = false;
    return ok;
  };
  script.closed = () => new Promise((resolve) => setImmediate(resolve));
  const run = fresh(100);
  await sender.send(run);
  settled(run);
  expect(seen.opens).toBeGreaterThan(10);
  expect(seen.most).toBeLessThanOrEqual(2);
});

test('busy couriers are no reason to intend more: what is ready would wait too long to start', async () => {
  const { sender, script, results, seen } = stage({ maxCouriers: 3 });
  const run = fresh(100);
  const release: (() => void)[] = [];
  script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
  const sending = sender.send(run);
  await vi.waitFor(() => expect(release).toHaveLength(3));
  expect(run.open, 'with three on the wire').toBe(3);
  expect(seen.most).toBe(3);
  script.deliver = async () => ok;
  for (const go of release) go();
  await sending;
  expect(results).toHaveLength(100);
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
  await Promise.all([sender.send(fresh(150, 1)), sender.send(fresh(7, 2))]);
  expect(inState('sent')).toHaveLength(157);
  expect(tokens).toBe(157);
});

test('without a token within two seconds the run ends, held until there is one', async () => {
  const { sender, results } = stage({ perSecond: 0.1, take: async () => ({ granted: 0, waitMs: 9_000 }) });
  const run = fresh(10);
  await sender.send(run);
  settled(run);
  expect(run.holdMs).toBe(9_000);
  expect(results).toEqual([]);
});

describe('a stop', () => {
  test('lets what is on the wire finish, retracts what is ready, and comes back', async () => {
    const { sender, script, inState, seen } = stage({ maxCouriers: 2 });
    const run = fresh(100);
    const release: (() => void)[] = [];
    script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
    const sending = sender.send(run);
    await vi.waitFor(() => expect(release).toHaveLength(2));
    const stopping = sender.stop();
    for (const go of release) go();
    await Promise.all([stopping, sending, sender.stop()]);
    settled(run);
    expect(inState('sent')).toHaveLength(2);
    expect(seen.connections).toBe(0);
    const late = fresh(5, 9);
    await sender.send(late);
    settled(late);
    expect(inState('sent')).toHaveLength(2);
  });

  test('cuts off what takes too long, and records how far it got', async () => {
    const { sender, script, advance, inState } = stage({ maxCouriers: 1 });
    const lost: Outcome = { kind: 'unknown', reply: { code: 0, text: 'closed after the body' } };
    const onTheWire = new Promise<void>((resolve) => {
      script.deliver = () => {
        resolve();
        return new Promise((answer) => {
          script.closed = () => answer(lost);
        });
      };
    });
    const run = fresh(1);
    const sent = sender.send(run);
    await onTheWire;
    const stopped = sender.stop(15_000);
    advance(14_000);
    expect(inState('in_doubt')).toHaveLength(0);
    advance(2_000);
    await Promise.all([stopped, sent]);
    expect(inState('in_doubt')).toHaveLength(1);
  });

  test('does not wait for a connection that is still being opened; it is closed when it comes', async () => {
    const { sender, script, seen } = stage();
    let opened: (answer: 'open') => void = () => {};
    script.open = () =>
      new Promise((resolve) => {
        opened = resolve;
      });
    const run = fresh(10);
    const sending = sender.send(run);
    await sender.stop();
    await sending;
    opened('open');
    await vi.waitFor(() => expect([seen.most, seen.connections]).toEqual([1, 0]));
  });
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
    const sending = sender.send(fresh(3));
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
    const sending = sender.send(fresh(2));
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
    await sender.send(fresh(3));
    script.pace = paceOf({ learntPerSecond: 80 });
    await sender.send(fresh(3, 2));
    expect(new Set(asked.map(([bucket]) => bucket?.perSecond))).toEqual(new Set([20, 50]));
    expect(new Set(asked.map(([bucket]) => bucket?.name))).toEqual(new Set(['d:7']));
  });

  test('a closed destination gives its grants back at once', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 1 });
    const run = fresh(100);
    let go: () => void = () => {};
    script.deliver = () => new Promise((resolve) => (go = () => resolve(ok)));
    const sending = sender.send(run);
    await vi.waitFor(() => expect(run.open).toBeGreaterThan(0));
    sender.paced(paceOf({ closedForMs: 30_000 }));
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
    const sending = sender.send(fresh(100));
    await vi.waitFor(() => expect(release).toHaveLength(2));
    expect(seen.wanted).toBe(5);
    sender.paced(paceOf({ closedForMs: 60_000 }));
    advance(500);
    expect(seen.wanted, 'the two that hang').toBe(2);
    for (const go of release) go();
    await sending;
  });

  test('connections that are no longer ours go home, idle ones too', async () => {
    const { sender, script, seen } = stage({ maxCouriers: 3 });
    const release: (() => void)[] = [];
    script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
    const sending = sender.send(fresh(3));
    await vi.waitFor(() => expect(release).toHaveLength(3));
    script.allowed = () => 1;
    for (const go of release) go();
    await sending;
    await vi.waitFor(() => {
      sender.allowed();
      expect(seen.connections).toBe(1);
    });
  });
});

test('the most urgent class goes first, whatever came before', async () => {
  const { sender, script, results } = stage({ maxCouriers: 1 });
  let go: () => void = () => {};
  script.deliver = () => new Promise((resolve) => (go = () => resolve(ok)));
  const flood = sender.send(fresh(400));
  await vi.waitFor(() => expect(seqsOf(results)).toHaveLength(0));
  const urgent = sender.send(testRun(2, { claimedAt: 1_000, chunkNo: 9, class: 0 }));
  script.deliver = async () => ok;
  go();
  await urgent;
  expect(results.length).toBeLessThan(300);
  await flood;
});

test("a run whose campaign's rate has no token rests; others go on", async () => {
  const { sender, inState, advance } = stage({
    take: async (buckets, wanted) =>
      buckets.some(({ name }) => name === 'c:2')
        ? { granted: 0, waitMs: 500, limitedBy: 'c:2' }
        : { granted: wanted, waitMs: 0 },
  });
  const slow = sender.send(testRun(5, { claimedAt: 1_000, buckets: [{ name: 'c:2', perSecond: 1 }] }));
  await sender.send(fresh(20, 2));
  expect(inState('sent')).toHaveLength(20);
  for (let i = 0; i < 30; i++) advance(500);
  await slow;
  expect(inState('sent')).toHaveLength(20);
});

test('couriers that hang keep neither what is ready nor what waits', async () => {
  const { sender, script, advance, inState } = stage({ maxCouriers: 2 });
  const release: (() => void)[] = [];
  script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
  const run = fresh(100);
  const sending = sender.send(run);
  await vi.waitFor(() => expect(release).toHaveLength(2));
  for (let i = 0; i < 25; i++) advance(500);
  expect([run.waiting, run.open]).toEqual([0, 2]);
  for (const go of release) go();
  await sending;
  expect([inState('sent').length, run.holdMs]).toEqual([2, 1_000]);
});
