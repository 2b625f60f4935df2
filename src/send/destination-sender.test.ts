import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testRun } from './fixtures.ts';
import { startWithinMs } from './outgoing.ts';
import { broken, expectSettled, freshRun, ok, stage } from './scripted-sender.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('every message of every run is handed over once, over no more connections than allowed', async () => {
  const { sender, inState, seen } = stage();
  const runs = [freshRun(200, 1), freshRun(3, 2), freshRun(0, 3)];
  await Promise.all(runs.map((run) => sender.send(run)));
  runs.forEach(expectSettled);
  expect(inState('sent')).toHaveLength(203);
  expect(seen.most).toBeLessThanOrEqual(3);
  await sender.stop();
  expect(seen.connections).toBe(0);
});

test('an intent is as old as its asking: what was answered to a worker that was stopped does not start', async () => {
  const { sender, script, inState, advance } = stage();
  let calls = 0;
  script.intended = async () => {
    if (++calls === 1) advance(startWithinMs);
  };
  const run = freshRun(70);
  await sender.send(run);
  expectSettled(run);
  expect(inState('pending').length).toBeGreaterThan(0);
  expect(inState('pending').length + inState('sent').length).toBe(70);
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
  const run = freshRun(20);
  await sender.send(run);
  expectSettled(run);
  expect(handed.filter((seq) => seq === 0)).toHaveLength(3);
  expect(inState('deferred')).toMatchObject([{ seq: 0, isAttemptFree: true }]);
});

test('what can not start in time is retracted, and a lease that was not renewed ends the run', async () => {
  const { sender, script, inState, advance } = stage({ maxCouriers: 1 });
  const run = freshRun(300);
  script.deliver = async (seq) => {
    if (seq === 10) advance(28_000);
    return ok;
  };
  await sender.send(run);
  expectSettled(run);
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
  expectSettled(run);
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
  const run = freshRun(100);
  await sender.send(run);
  expectSettled(run);
  expect(seen.opens).toBeGreaterThan(10);
  expect(seen.most).toBeLessThanOrEqual(2);
});

test('busy couriers are no reason to intend more: what is ready would wait too long to start', async () => {
  const { sender, script, results, seen } = stage({ maxCouriers: 3 });
  const run = freshRun(100);
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

test('the most urgent class goes first, whatever came before', async () => {
  const { sender, script, results } = stage({ maxCouriers: 1 });
  let go: () => void = () => {};
  script.deliver = () => new Promise((resolve) => (go = () => resolve(ok)));
  const flood = sender.send(freshRun(400));
  await vi.waitFor(() => expect(results).toHaveLength(0));
  const urgent = sender.send(testRun(2, { claimedAt: 1_000, chunkNo: 9, class: 0 }));
  script.deliver = async () => ok;
  go();
  await urgent;
  expect(results.length).toBeLessThan(300);
  await flood;
});

test('couriers that hang keep neither what is ready nor what waits', async () => {
  const { sender, script, advance, inState } = stage({ maxCouriers: 2 });
  const release: (() => void)[] = [];
  script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
  const run = freshRun(100);
  const sending = sender.send(run);
  await vi.waitFor(() => expect(release).toHaveLength(2));
  for (let i = 0; i < 25; i++) advance(500);
  expect([run.waiting, run.open]).toEqual([0, 2]);
  for (const go of release) go();
  await sending;
  expect([inState('sent').length, run.holdMs]).toEqual([2, 1_000]);
});
