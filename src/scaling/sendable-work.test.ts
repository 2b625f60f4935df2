/** What limits hold back asks for no worker. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowedPerSecond } from './allowed-rate.ts';
import { type PaceChanges, paceWith } from './pace-fixture.ts';
import { type DestinationWork, sendableMessages } from './sendable-work.ts';

const drainSeconds = 60;
const open: DestinationWork = {
  ...{ destinationId: 1, transportId: 1, due: [], outstanding: 0, allowedPerSecond: Infinity },
  ...{ transportPerSecond: Infinity, quotaLeft: Infinity },
};
const anyRate = fc.oneof(fc.constant(Infinity), fc.nat(1_000));
const anyTenant = fc.oneof(
  fc.record({ messages: fc.nat(100_000) }),
  fc.record({
    messages: fc.nat(100_000),
    tenantId: fc.integer({ min: 1, max: 3 }),
    perSecond: fc.constant(5),
  }),
);
const anyWork = fc.record({
  ...{ destinationId: fc.nat(), transportId: fc.nat(2), due: fc.array(anyTenant, { maxLength: 3 }) },
  ...{ outstanding: fc.nat(10_000), allowedPerSecond: anyRate, quotaLeft: anyRate },
  transportPerSecond: fc.constant(500),
});

test('more work never means less that is sendable, and limits are never passed', () => {
  fc.assert(
    fc.property(fc.array(anyWork, { minLength: 1 }), anyTenant, (works, more) => {
      const before = sendableMessages(works, drainSeconds);
      const [first, ...others] = works as unknown as [DestinationWork, ...DestinationWork[]];
      expect(
        sendableMessages([{ ...first, due: [...first.due, more] }, ...others], drainSeconds),
      ).toBeGreaterThanOrEqual(before);
      const most = works.reduce(
        (sum, work) => sum + Math.min(work.allowedPerSecond * drainSeconds, work.quotaLeft),
        0,
      );
      expect(before).toBeLessThanOrEqual(most);
      expect(before).toBeLessThanOrEqual(
        new Set(works.map((work) => work.transportId)).size * 500 * drainSeconds,
      );
    }),
  );
});

test('a destination at its limit adds nothing, however much waits for it', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000_000), fc.nat(10_000_000), (rate, waiting, more) => {
      const others = { ...open, due: [{ messages: 5_000 }] };
      const limited = (messages: number) => ({ ...open, allowedPerSecond: rate, due: [{ messages }] });
      const atLimit = rate * drainSeconds + waiting;
      expect(sendableMessages([others, limited(atLimit + more)], drainSeconds)).toBe(
        sendableMessages([others, limited(atLimit)], drainSeconds),
      );
    }),
  );
});

test('rates of tenants hold over all destinations, rates of transports over theirs, quotas for the day', () => {
  const slowTenant = { messages: 1_000, tenantId: 7, perSecond: 2 };
  const two = [open, { ...open, destinationId: 2 }].map((work) => ({ ...work, due: [slowTenant] }));
  expect(sendableMessages(two, drainSeconds)).toBe(120);
  const many = [1, 2, 3].map((destinationId) => ({
    ...{ ...open, destinationId, transportPerSecond: 10, due: [{ messages: 10_000 }] },
  }));
  expect(sendableMessages(many, drainSeconds)).toBe(600);
  expect(
    sendableMessages([{ ...open, quotaLeft: 12, due: [{ messages: 99 }], outstanding: 3 }], drainSeconds),
  ).toBe(12);
  expect(sendableMessages([], drainSeconds)).toBe(0);
});

const cases: readonly (readonly [string, PaceChanges, Parameters<typeof allowedPerSecond>[1], number])[] = [
  ['nothing known against it', {}, {}, Infinity],
  ['the lesser rate', { learntPerSecond: 40 }, { perSecond: 70 }, 40],
  [
    'an open breaker',
    { breaker: 'open', windowMessages: 0, closedForMs: 9_000, limitedBy: 'breaker' },
    {},
    0,
  ],
  ['a rest', { windowMessages: 0, closedForMs: 7_200_000, limitedBy: 'rest' }, { perSecond: 10 }, 0],
  ['no quota left', { windowMessages: 0, limitedBy: 'quota' }, { perDay: 0 }, 0],
  ['a probe', { breaker: 'half_open', windowMessages: 1 }, {}, 1],
  ['slow answers', { limitedBy: 'slow', measuredPerSecond: 10 }, {}, 21],
  ['all connections in use', { connections: 5, measuredPerSecond: 50 }, { connections: 5 }, 101],
];
test.each(cases)('allowed with %s', (_, pace, limits, allowed) => {
  expect(allowedPerSecond(paceWith(pace), limits)).toBe(allowed);
});
