import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestRetryMs } from '../ledger/outcome.ts';
import type { ReplyClass } from '../transports/contract.ts';
import { toResult, toStranded } from './result-policy.ts';

const rules = { firstDelayMs: 8_000 };
const reply = { code: 450, enhanced: '4.2.0', text: 'try later' };
const classes: readonly ReplyClass[] = ['address', 'transient', 'throttled', 'policy', 'message', 'account'];

test('accepted is sent, and keeps no text', () => {
  expect(toResult(3, { kind: 'accepted', reply: { code: 250, text: 'ok' } }, rules, 0)).toEqual({
    ...{ seq: 3, state: 'sent', replyCode: 250, reason: null },
  });
});

test('of what is refused for good, only a dead address is suppressed, and our own account is no bounce', () => {
  const results = classes.map((replyClass) =>
    toResult(0, { kind: 'rejected', reply, class: replyClass }, rules, 0),
  );
  expect(results.map(({ state, suppresses }) => [state, suppresses])).toEqual([
    ['bounced', true],
    ['bounced', false],
    ['bounced', false],
    ['bounced', false],
    ['bounced', false],
    ['deferred', undefined],
  ]);
  expect(results.at(-1)).toMatchObject({ isAttemptFree: true, retryInMs: 8_000 });
});

test('refused for now waits, longer with each attempt; what is about us burns none', () => {
  const results = classes.map((replyClass) =>
    toResult(0, { kind: 'deferred', reply, class: replyClass }, rules, 0.5),
  );
  expect(
    results.every(
      ({ state, backsOff, retryInMs }) => state === 'deferred' && backsOff && retryInMs === 8_000,
    ),
  ).toBe(true);
  expect(results.map(({ isAttemptFree }) => isAttemptFree === true)).toEqual([
    false,
    false,
    true,
    false,
    false,
    true,
  ]);
});

test('a time that the other side named is kept, without doubling, and within what the ledger holds', () => {
  const deferred = (retryAfterMs: number) =>
    toResult(0, { kind: 'deferred', reply, class: 'throttled', retryAfterMs }, rules, 0);
  expect(deferred(90_000)).toMatchObject({ retryInMs: 90_000 });
  expect(deferred(90_000).backsOff).toBeUndefined();
  expect(deferred(Number.MAX_SAFE_INTEGER).retryInMs).toBe(longestRetryMs);
});

test('unknown is in doubt; untransmitted is pending; what can not be handed over at all waits without an attempt', () => {
  expect(toResult(0, { kind: 'unknown', reply }, rules, 0)).toMatchObject({ state: 'in_doubt' });
  expect(toResult(0, { kind: 'untransmitted', reply }, rules, 0)).toMatchObject({ state: 'pending' });
  expect(toStranded(0, reply, rules, 0.5)).toMatchObject({
    state: 'deferred',
    isAttemptFree: true,
    retryInMs: 8_000,
  });
});

test('jitter is between three and five quarters, in few steps', () => {
  const waits = new Set<number>();
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const { retryInMs } = toResult(0, { kind: 'deferred', reply, class: 'transient' }, rules, random);
      expect(retryInMs).toBeGreaterThanOrEqual(6_000);
      expect(retryInMs).toBeLessThanOrEqual(10_000);
      waits.add(retryInMs as number);
    }),
  );
  expect(waits.size).toBeLessThanOrEqual(8);
});

test('reasons say the enhanced code once and fit their column', () => {
  const reasonOf = (text: string) =>
    toResult(0, { kind: 'unknown', reply: { ...reply, text } }, rules, 0).reason;
  expect(reasonOf('mailbox full')).toBe('4.2.0 mailbox full');
  expect(reasonOf('4.2.0 mailbox full')).toBe('4.2.0 mailbox full');
  expect(reasonOf('x'.repeat(500))).toHaveLength(240);
});
