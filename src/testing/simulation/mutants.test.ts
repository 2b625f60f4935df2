import { expect, test } from 'vitest';
import { checkSchedules } from './check-schedules.ts';
import { type ProtectionName, protectionNames, without } from './protections.ts';
import type { Invariant } from './violation.ts';

/** A seed whose schedules, this many of them, have one that needs the protection; and what breaks without it. */
const schedules = 300;
const needed: Readonly<Record<ProtectionName, readonly [number, Invariant]>> = {
  epochChecked: [2, 'a message starts only under an intent and a lease of its own'],
  claimChecksOwner: [1, 'only a resent doubt is sent twice'],
  dispatchChecksEpoch: [31, 'a message starts only under an intent and a lease of its own'],
  intentChecksChunk: [15, 'no delivery is lost'],
  intentChecksCampaign: [1, 'nothing starts after its bound'],
  intentChecksSuppression: [1, 'nothing starts after its bound'],
  intentBeforeSend: [1, 'a message starts only under an intent and a lease of its own'],
  intentRetractedOnFailure: [
    37,
    'a crash leaves in doubt only the wire, two groups and what was not yet written',
  ],
  freshnessFromAsking: [1, 'nothing starts after its bound'],
  freshness: [5, 'nothing starts after its bound'],
  trustBeforeBody: [1, 'a message starts only under an intent and a lease of its own'],
  trustMargin: [1, 'one worker at most trusts its lease on a chunk'],
  outcomeChecksEpoch: [8, 'what was accepted is sent or in doubt'],
  outcomeRepeated: [78, 'a crash leaves in doubt only the wire, two groups and what was not yet written'],
  doubtAtTakeover: [1, 'what was accepted is sent or in doubt'],
  doubtAtEnd: [1, 'no delivery is lost'],
  forsakenCounted: [15, 'no delivery is lost'],
  recountSets: [1, 'counters equal rows'],
  jobWorkedOnce: [5, 'only a resent doubt is sent twice'],
  poisonQuarantined: [1, 'no delivery is lost'],
  poisonKeepsItsPlace: [183, 'only poison is skipped as poison'],
};

test.each(protectionNames)(
  'without %s an invariant breaks',
  (name) => {
    const [seed, invariant] = needed[name];
    const options = { seed, schedules, isUnshrunk: true };
    expect(checkSchedules({ ...options, protections: without(name) }).broken?.invariant).toBe(invariant);
  },
  30_000,
);

test('a schedule that breaks is shrunk to a few faults, and found again by its path', () => {
  const protections = without('doubtAtTakeover');
  const first = checkSchedules({ seed: 2, schedules, protections });
  expect(first.broken?.schedule.faults).toHaveLength(1);
  const path = first.broken?.path as string;
  const again = checkSchedules({ seed: 2, schedules, protections, path });
  expect(again.broken?.story).toBe(first.broken?.story);
}, 30_000);
