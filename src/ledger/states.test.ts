import { expect, test } from 'vitest';
import {
  type DeliveryState,
  deliveryClassName,
  deliveryStateName,
  deliveryStateNames,
  deliveryStates,
  deliveryTransitions,
  settledStates,
} from './states.ts';

/** Every change that a statement of the ledger makes, and where. */
const written: Readonly<
  Record<string, readonly [from: readonly DeliveryState[], to: readonly DeliveryState[]]>
> = {
  'intent.ts: may be sent': [['pending', 'deferred'], ['attempting']],
  'intent.ts: suppressed': [['pending', 'deferred'], ['suppressed']],
  'outcome.ts: results': [['attempting'], ['sent', 'bounced', 'deferred', 'in_doubt', 'pending']],
  'outcome.ts: late results': [['in_doubt'], ['sent', 'bounced', 'deferred', 'pending']],
  'outcome.ts: skipped': [['pending', 'deferred'], ['skipped']],
  'takeover.ts': [['attempting'], ['in_doubt']],
  'settle-doubt.ts': [['in_doubt'], ['sent', 'pending']],
  'sweep-stopped.ts': [
    ['pending', 'deferred'],
    ['cancelled', 'expired'],
  ],
  'feedback: a bounce by mail': [['sent', 'in_doubt', 'pending', 'deferred'], ['bounced']],
  'feedback: a click or a report of delivery': [['in_doubt', 'pending', 'deferred'], ['sent']],
};

test('every change that is written is in the table, and the table has no other', () => {
  const pairs = Object.values(written).flatMap(([from, to]) =>
    from.flatMap((a) => to.map((b) => `${a} -> ${b}`)),
  );
  const allowed = deliveryStateNames.flatMap((a) => deliveryTransitions[a].map((b) => `${a} -> ${b}`));
  expect([...new Set(pairs)].sort()).toEqual(allowed.sort());
});

test('the table is closed: every state is in it, and leads only to states', () => {
  expect(Object.keys(deliveryTransitions).sort()).toEqual([...deliveryStateNames].sort());
  for (const next of Object.values(deliveryTransitions).flat()) expect(deliveryStateNames).toContain(next);
});

test('every state can be left, or is settled; what is settled stays so, but for a bounce that comes by mail', () => {
  for (const name of deliveryStateNames) {
    const next = deliveryTransitions[name];
    if (settledStates.includes(name))
      expect(next.filter((state) => !settledStates.includes(state))).toEqual([]);
    else expect(next.length).toBeGreaterThan(0);
  }
});

test('a settled state can be reached from everywhere', () => {
  const reachable = (from: DeliveryState, seen = new Set<DeliveryState>()): Set<DeliveryState> => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const next of deliveryTransitions[from]) reachable(next, seen);
    return seen;
  };
  for (const name of deliveryStateNames) {
    expect(
      [...reachable(name)].some((state) => settledStates.includes(state)),
      name,
    ).toBe(true);
  }
});

test('the numbers are what the tables store: they never change', () => {
  expect(deliveryStates).toEqual({
    ...{ pending: 0, attempting: 1, sent: 2, bounced: 3, deferred: 4 },
    ...{ in_doubt: 5, suppressed: 6, skipped: 7, cancelled: 8, expired: 9 },
  });
  for (const name of deliveryStateNames) expect(deliveryStateName(deliveryStates[name])).toBe(name);
  expect([0, 1, 2].map(deliveryClassName)).toEqual(['transactional', 'flow', 'campaign']);
  expect(() => deliveryStateName(10)).toThrow(RangeError);
  expect(() => deliveryClassName(3)).toThrow(RangeError);
});
