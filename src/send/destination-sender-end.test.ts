/** However it goes, each run comes to an end. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../transports/contract.ts';
import { testRun } from './fixtures.ts';
import { broken, expectSettled, freshRun, ok, refusedAccount, stage } from './scripted-sender.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('no run is left without an end', () => {
  test('when all connections break and none can be opened, with messages ready and intents under way', async () => {
    const { sender, script, inState } = stage();
    const run = freshRun(100);
    script.deliver = async (seq, courier) => {
      if (seq < 5) return ok;
      courier.isUsable = false;
      script.open = async () => 'failed';
      return broken;
    };
    await sender.send(run);
    expectSettled(run);
    expect(inState('sent')).toHaveLength(5);
    expect(inState('pending').length).toBeGreaterThan(0);
    expect(run.holdMs).toBeGreaterThan(0);
  });

  test('when the last connection breaks while an intent is under way', async () => {
    const { sender, script } = stage({ maxCouriers: 1 });
    const run = freshRun(100);
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
    expectSettled(run);
  });

  test('when a message comes back after the account was refused', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 2 });
    const run = freshRun(2);
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
    expectSettled(run);
    expect(inState('pending')).toHaveLength(1);
  });

  test('when the last connection goes within a second of another that could not be opened', async () => {
    const { sender, script, inState, seen } = stage();
    const run = freshRun(40);
    script.open = async (n) => (n === 2 || n === 3 ? 'failed' : 'open');
    let handed = 0;
    script.deliver = async (_, courier) => {
      if (++handed === 10) courier.isUsable = false;
      return ok;
    };
    await sender.send(run);
    expectSettled(run);
    expect(inState('sent')).toHaveLength(40);
    expect(seen.opens).toBeGreaterThan(3);
  });

  test('when the account is refused: what is ready goes back, and later runs are held', async () => {
    const { sender, script, inState } = stage({ maxCouriers: 1 });
    const run = freshRun(100);
    script.deliver = async (seq) => (seq < 20 ? ok : refusedAccount);
    await sender.send(run);
    expectSettled(run);
    expect(inState('deferred')).toHaveLength(1);
    expect(run.holdMs).toBe(60_000);
    const later = freshRun(5, 9);
    await sender.send(later);
    expect(later.holdMs).toBeGreaterThan(0);
    expect(inState('sent')).toHaveLength(20);
  });

  test('when opening throws', async () => {
    const { sender, script } = stage();
    script.open = () => Promise.reject(new Error('a bug'));
    const run = freshRun(10);
    await sender.send(run);
    expectSettled(run);
  });

  test('when intents fail: the messages are retracted and others asked for after a pause', async () => {
    const { sender, script, inState, advance } = stage();
    let calls = 0;
    script.intended = () => (++calls === 1 ? Promise.reject(new Error('away')) : Promise.resolve());
    const run = freshRun(50);
    const sending = sender.send(run);
    await vi.waitFor(() => expect(inState('pending').length).toBeGreaterThan(0));
    advance(500);
    await sending;
    expectSettled(run);
    expect(inState('sent').length + inState('pending').length).toBe(50);
  });
});

test('after an outage it opens again when runs come again', async () => {
  const { sender, script, inState, advance } = stage();
  script.open = async () => 'failed';
  await sender.send(freshRun(10, 1));
  script.open = async () => 'open';
  advance(20_000);
  await sender.send(testRun(10, { claimedAt: 21_000, chunkNo: 2 }));
  expect(inState('sent')).toHaveLength(10);
});

describe('a stop', () => {
  test('lets what is on the wire finish, retracts what is ready, and comes back', async () => {
    const { sender, script, inState, seen } = stage({ maxCouriers: 2 });
    const run = freshRun(100);
    const release: (() => void)[] = [];
    script.deliver = () => new Promise((resolve) => release.push(() => resolve(ok)));
    const sending = sender.send(run);
    await vi.waitFor(() => expect(release).toHaveLength(2));
    const stopping = sender.stop();
    for (const go of release) go();
    await Promise.all([stopping, sending, sender.stop()]);
    expectSettled(run);
    expect(inState('sent')).toHaveLength(2);
    expect(seen.connections).toBe(0);
    const late = freshRun(5, 9);
    await sender.send(late);
    expectSettled(late);
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
    const run = freshRun(1);
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
    const run = freshRun(10);
    const sending = sender.send(run);
    await sender.stop();
    await sending;
    opened('open');
    await vi.waitFor(() => expect([seen.most, seen.connections]).toEqual([1, 0]));
  });
});
