import { expect, test } from 'vitest';
import { testMessages, testRun } from './fixtures.ts';
import type { Outgoing } from './outgoing.ts';
import { ReadyQueue } from './ready-queue.ts';

const run = testRun(0);
const [a, b, c] = testMessages(3).map((message) => ({ run, message, intendedAt: 0, failures: 0 })) as [
  Outgoing,
  Outgoing,
  Outgoing,
];

test('messages go out in order; one that comes back goes first', async () => {
  const queue = new ReadyQueue();
  queue.push(a);
  queue.push(b);
  expect(await queue.next()).toBe(a);
  queue.putBack(a);
  expect(await queue.next()).toBe(a);
  expect(await queue.next()).toBe(b);
});

test('couriers that wait get what comes, first come first served', async () => {
  const queue = new ReadyQueue();
  const waiting = [queue.next(), queue.next(), queue.next()];
  expect([queue.idle, queue.length]).toEqual([3, 0]);
  queue.push(a);
  queue.putBack(b);
  expect([queue.idle, queue.length]).toEqual([1, 0]);
  expect(await Promise.all(waiting.slice(0, 2))).toEqual([a, b]);
});

test('draining takes all out and leaves it open', async () => {
  const queue = new ReadyQueue();
  queue.push(a);
  queue.push(b);
  expect(queue.drain()).toEqual([a, b]);
  expect(queue.length).toBe(0);
  queue.push(c);
  expect(await queue.next()).toBe(c);
});

test('closing sends the couriers home and refuses what is here and what still comes, each once', async () => {
  const queue = new ReadyQueue();
  const refused: Outgoing[] = [];
  queue.push(a);
  queue.close((outgoing) => refused.push(outgoing));
  queue.push(b);
  queue.putBack(c);
  expect(refused).toEqual([a, b, c]);
  expect(await queue.next()).toBeUndefined();
  const other = new ReadyQueue();
  const waiting = other.next();
  other.close(() => undefined);
  expect(await waiting).toBeUndefined();
});
