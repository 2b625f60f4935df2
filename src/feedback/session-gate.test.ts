import { expect, test } from 'vitest';
import { createSessionGate } from './session-gate.ts';

const limits = { sessionsPerClient: 2, sessionsPerClientPerMinute: 3, refusedRecipientsPerSession: 1 };

test('a client has its share of sessions, and another client its own', () => {
  const gate = createSessionGate(limits);
  expect([gate.enter('1', 'a', 0), gate.enter('2', 'a', 0), gate.enter('3', 'a', 0)]).toEqual([
    true,
    true,
    false,
  ]);
  expect(gate.enter('4', 'b', 0)).toBe(true);
});

test('a session that ends makes room once, however often it is told', () => {
  const gate = createSessionGate({ ...limits, sessionsPerClientPerMinute: 100 });
  gate.enter('1', 'a', 0);
  gate.enter('2', 'a', 0);
  gate.leave('1');
  gate.leave('1');
  gate.leave('never let in');
  expect([gate.enter('3', 'a', 0), gate.enter('4', 'a', 0)]).toEqual([true, false]);
});

test('sessions in a minute are limited, refused ones included, and the next minute is new', () => {
  const gate = createSessionGate(limits);
  for (const session of ['1', '2', '3']) {
    expect(gate.enter(session, 'a', 0)).toBe(true);
    gate.leave(session);
  }
  expect(gate.enter('4', 'a', 59_999)).toBe(false);
  expect(gate.enter('5', 'a', 60_000)).toBe(true);
});

test('guessing at recipients is counted for each session', () => {
  const gate = createSessionGate(limits);
  gate.enter('1', 'a', 0);
  gate.enter('2', 'a', 0);
  expect([gate.countRefusal('1'), gate.countRefusal('1'), gate.countRefusal('2')]).toEqual([
    true,
    false,
    true,
  ]);
});

test('a hundred thousand clients leave the open sessions counted', () => {
  const gate = createSessionGate({ ...limits, sessionsPerClient: 1 });
  gate.enter('open', 'a', 0);
  for (let client = 0; client < 100_000; client++) {
    gate.enter(`s${client}`, `c${client}`, 0);
    gate.leave(`s${client}`);
  }
  expect(gate.enter('second', 'a', 0)).toBe(false);
});
