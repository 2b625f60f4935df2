import { expect, test } from 'vitest';
import { deliveryStateNames, type StateCounts } from '../ledger/states.ts';
import { outcomeAttributes } from './outcome-attributes.ts';

const counts = (some: Partial<StateCounts>) =>
  ({ ...Object.fromEntries(deliveryStateNames.map((state) => [state, 0])), ...some }) as StateCounts;

test('a grant is told by what it moved, its chunk by what is left', () => {
  const before = counts({ pending: 300, sent: 100, deferred: 100, in_doubt: 1 });
  const after = counts({ pending: 50, sent: 380, deferred: 60, bounced: 10, skipped: 1 });
  expect(outcomeAttributes({ wasOurs: true, moved: { before, counts: after } })).toEqual({
    'sluice.grant.end': 'ended',
    'sluice.outcome.sent': 280,
    'sluice.outcome.bounced': 10,
    'sluice.outcome.skipped': 1,
    'sluice.outcome.in_doubt': -1,
    'sluice.chunk.pending': 50,
    'sluice.chunk.deferred': 60,
  });
});

test('a grant that moved nothing says what is left', () => {
  const same = counts({ pending: 2 });
  expect(outcomeAttributes({ wasOurs: true, moved: { before: same, counts: same } })).toEqual({
    'sluice.grant.end': 'ended',
    'sluice.chunk.pending': 2,
    'sluice.chunk.deferred': 0,
  });
});

test('a grant whose chunk was taken over says so, and nothing of its messages', () => {
  expect(outcomeAttributes({ wasOurs: false })).toEqual({ 'sluice.grant.end': 'lost' });
});
