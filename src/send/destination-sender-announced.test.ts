/** What a courier has announced behind one message is the next it delivers, or its connection is given up; and its run comes to an end. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OutboundMessage, Outcome } from '../transports/contract.ts';
import { mostBeyondTheWire } from './open-budget.ts';
import { broken, expectSettled, freshRun, ok, refusedAccount, stage } from './scripted-sender.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A courier that is asked to carry on with a message, and has another announced when a test says so. */
interface Held {
  readonly seq: number;
  readonly courier: { isUsable: boolean };
  readonly next: () => OutboundMessage | undefined;
  answer(outcome?: Outcome): void;
}

/** One courier; the first message is answered, as many are kept ready as left before. Then each is held until a test answers it. */
async function held(n = 40, options: Parameters<typeof stage>[0] = { maxCouriers: 1 }) {
  const all = stage(options);
  const { sender, script } = all;
  const calls: Held[] = [];
  script.deliver = (seq, courier, _, next) => {
    if (seq < 10) return Promise.resolve(ok);
    return new Promise((resolve) => {
      calls.push({ seq, courier, next, answer: (outcome = ok) => resolve(outcome) });
    });
  };
  const run = freshRun(n);
  const sending = sender.send(run);
  await vi.waitFor(() => expect(calls.length).toBe(Math.min(options.maxCouriers ?? 1, n)));
  const first = calls[0] as Held;
  return { ...all, run, sending, calls, first };
}

test('what a courier has announced it delivers next, whatever the others do', async () => {
  const { sender, script, inState } = stage({ maxCouriers: 3 });
  const announced = new Map<object, number>();
  let kept = 0;
  script.deliver = async (seq, courier, _, next) => {
    const expected = announced.get(courier);
    if (expected !== undefined) {
      expect(seq).toBe(expected);
      kept++;
    }
    await Promise.resolve();
    const message = next();
    if (message) announced.set(courier, message.rendered.seq);
    else announced.delete(courier);
    return ok;
  };
  const run = freshRun(300);
  await sender.send(run);
  expectSettled(run);
  expect(kept).toBeGreaterThan(50);
  expect(new Set(inState('sent').map(({ seq }) => seq)).size).toBe(300);
  await sender.stop();
});

test('an announced message is not on the wire: what a crash leaves in doubt beyond it stays bounded', async () => {
  const { budget, first, calls, run, sending, script } = await held();
  expect(budget.free).toBe(mostBeyondTheWire + 1);
  const announced = first.next();
  expect(announced).toBeDefined();
  expect(budget.free).toBe(mostBeyondTheWire + 1);
  first.answer();
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(calls[1]?.seq).toBe(announced?.rendered.seq);
  expect(budget.free, 'the one before has left the wire').toBe(mostBeyondTheWire + 1);
  script.deliver = async () => ok;
  calls[1]?.answer();
  await sending;
  expectSettled(run);
});

test('a stop delivers what was announced, and has nothing more announced', async () => {
  const { sender, first, calls, run, sending, seen, inState } = await held();
  const announced = first.next();
  const stopped = sender.stop();
  first.answer();
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(calls[1]?.seq).toBe(announced?.rendered.seq);
  expect(calls[1]?.next()).toBeUndefined();
  calls[1]?.answer();
  await Promise.all([stopped, sending]);
  expectSettled(run);
  expect(inState('sent')).toHaveLength(12);
  expect([calls.length, seen.connections]).toEqual([2, 0]);
});

test('a closed destination gives back what was announced, and the connection that waits for it goes', async () => {
  const { sender, first, calls, run, sending, seen, inState, script, results } = await held();
  const announced = first.next();
  const before = results.length;
  sender.heedPace({ ...script.pace, closedForMs: 1_000 } as Parameters<typeof sender.heedPace>[0]);
  expect(inState('pending').map(({ seq }) => seq)).toContain(announced?.rendered.seq);
  expect(first.next(), 'it rests').toBeUndefined();
  expect(results.length).toBeGreaterThan(before);
  first.answer();
  await sending;
  expectSettled(run);
  await vi.waitFor(() => expect(seen.connections).toBe(0));
  expect(calls).toHaveLength(1);
});

test('a refused account ends the connection that has announced another', async () => {
  const { first, calls, run, sending, seen, inState } = await held();
  const announced = first.next();
  first.answer(refusedAccount);
  await sending;
  expectSettled(run);
  expect(inState('pending').map(({ seq }) => seq)).toContain(announced?.rendered.seq);
  await vi.waitFor(() => expect(seen.connections).toBe(0));
  expect(calls).toHaveLength(1);
});

test('what was announced and became late is retracted while the courier hangs, which then gets no other', async () => {
  const { first, calls, run, sending, seen, inState, advance, couriers, script } = await held();
  const announced = first.next();
  advance(1_000);
  expect(inState('pending')).toHaveLength(0);
  advance(500);
  expect(inState('pending').map(({ seq }) => seq)).toContain(announced?.rendered.seq);
  script.deliver = async () => ok;
  first.answer();
  await sending;
  expectSettled(run);
  expect(calls).toHaveLength(1);
  await vi.waitFor(() => expect(seen.connections).toBe(1));
  expect(couriers.length, 'another took the rest').toBe(2);
});

test('a lease lost meanwhile: what was announced does not start, and its courier is given up', async () => {
  const { first, calls, run, sending, seen, inState } = await held();
  const announced = first.next();
  run.lose();
  first.answer();
  await sending;
  expectSettled(run);
  expect(inState('pending').map(({ seq }) => seq)).toContain(announced?.rendered.seq);
  await vi.waitFor(() => expect([seen.connections, seen.opens]).toEqual([1, 2]));
  expect(calls).toHaveLength(1);
});

test('a courier that is one too many delivers what it has announced, announces no more, and goes home', async () => {
  const { first, calls, run, script, seen, sender, inState } = await held();
  const announced = first.next();
  script.allowed = () => 0;
  first.answer();
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(calls[1]?.seq).toBe(announced?.rendered.seq);
  expect(calls[1]?.next()).toBeUndefined();
  calls[1]?.answer();
  await vi.waitFor(() => expect(seen.connections).toBe(0));
  expect(calls).toHaveLength(2);
  await sender.stop();
  expectSettled(run);
  expect(inState('sent')).toHaveLength(12);
});

test('what could not start soon is not announced', async () => {
  const { first, run, sending, calls, advance, script } = await held();
  advance(1_000);
  expect(first.next()).toBeUndefined();
  script.deliver = async () => ok;
  first.answer();
  await sending;
  expectSettled(run);
  expect(calls).toHaveLength(1);
});

test('lost with its connection, it goes to another, is not announced again, and its destination is no slower for it', async () => {
  const { first, calls, run, sending, taught, inState, script } = await held();
  const announced = first.next();
  const reannounced: number[] = [];
  const lost: number[] = [];
  script.deliver = async (seq, courier, _, next) => {
    if (!courier.isUsable) {
      lost.push(seq);
      return broken;
    }
    const message = next();
    if (message) reannounced.push(message.rendered.seq);
    return ok;
  };
  first.courier.isUsable = false;
  first.answer();
  await sending;
  expectSettled(run);
  expect(lost).toEqual([announced?.rendered.seq]);
  expect(reannounced).not.toContain(announced?.rendered.seq);
  expect(reannounced.length).toBeGreaterThan(0);
  expect(taught.filter(({ kind }) => kind === 'timed_out')).toEqual([]);
  expect(inState('sent')).toHaveLength(40);
  expect(calls).toHaveLength(1);
});
