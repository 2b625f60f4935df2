import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LimitingRule, Pace } from '../pacing/pace.ts';
import type { CampaignFacts, DestinationFacts } from './campaign-facts.ts';
import { explainCampaign } from './explain-campaign.ts';

const pace: Pace = {
  ...{ windowMessages: 300, learntPerSecond: undefined, measuredPerSecond: 100, breaker: 'closed' },
  ...{ closedForMs: 0, limitedBy: 'none', inFlight: 10, connections: 2, lastReplies: [] },
};
const today = {
  ...{ attempts: null, quota: null, transportAttempts: null, transportQuota: null, left: null },
};
const gmail: DestinationFacts = {
  ...{ id: 1, name: 'gmail', ready: 1_000, retrying: 0, retryInMs: 0, senderPause: null, otherLanes: 0 },
  status: { pace, limits: {}, today },
};
const alive = { hasScheduler: true, hasDispatcher: true, hasRenderWorker: true, hasSendWorker: true };
const running: CampaignFacts = {
  ...{ state: 'sending', isPaused: false, startsInMs: -60_000, deadlineInMs: 86_400_000, isExpanded: true },
  ...{ pending: 1_000, inDoubt: 0, perMinute: null, tenantPerSecond: null, untilMidnightMs: 3_600_000 },
  ...{ fleet: alive, destinations: [gmail] },
};

function at(changes: Partial<DestinationFacts>, paceChanges: Partial<Pace> = {}): DestinationFacts {
  const status = { ...gmail.status, ...changes.status, pace: { ...pace, ...paceChanges } };
  return { ...gmail, ...changes, status };
}

function limited(limitedBy: LimitingRule, changes: Partial<Pace> = {}): DestinationFacts {
  return at({}, { limitedBy, ...changes });
}

function rulesOf(facts: Partial<CampaignFacts>) {
  return explainCampaign({ ...running, ...facts }).findings.map(({ rule }) => rule);
}

const pause = { domain: 'shop.example', endsInMs: 1_800_000, reply: '550 5.7.1 not accepted' };

/** What is there, the rules in their order, and how long it takes at least. */
const cases: readonly [string, Partial<CampaignFacts>, readonly string[], number | null][] = [
  ['a draft', { state: 'draft' }, ['draft'], null],
  ['a campaign that is sent', { state: 'sent' }, ['over'], null],
  ['a cancelled one', { state: 'cancelled' }, ['over'], null],
  ['a paused one, whatever else', { isPaused: true, perMinute: 6 }, ['paused'], null],
  ['one that is not due', { state: 'scheduled', startsInMs: 90_000 }, ['not_due'], 90],
  ['one that is due', { state: 'scheduled', startsInMs: -5, isExpanded: false }, ['starting'], null],
  ['one past its deadline', { deadlineInMs: -1 }, ['past_deadline'], null],
  [
    'no scheduler, and it is due',
    {
      ...{ state: 'scheduled', startsInMs: -5, isExpanded: false },
      fleet: { ...alive, hasScheduler: false },
    },
    ['no_scheduler'],
    null,
  ],
  ['no scheduler, and it is expanded', { fleet: { ...alive, hasScheduler: false } }, ['none'], 10],
  ['no dispatcher', { fleet: { ...alive, hasDispatcher: false } }, ['no_dispatcher'], null],
  [
    'no workers at all',
    { fleet: { ...alive, hasRenderWorker: false, hasSendWorker: false } },
    ['no_render_worker', 'no_send_worker'],
    null,
  ],
  ['nothing that limits it', {}, ['none'], 10],
  ['its own rate', { perMinute: 60 }, ['campaign_rate', 'none'], 1_000],
  [
    'its own rate, and a slower destination',
    { perMinute: 6_000, destinations: [limited('slow', { measuredPerSecond: 2 })] },
    ['slow', 'campaign_rate'],
    500,
  ],
  ['its tenant’s rate', { tenantPerSecond: 4 }, ['tenant_rate', 'none'], 250],
  [
    'a rate that it does not reach',
    { perMinute: 60_000, destinations: [limited('learnt_rate', { learntPerSecond: 5 })] },
    ['learnt_rate', 'campaign_rate'],
    200,
  ],
  [
    'a sender that is refused',
    { destinations: [at({ senderPause: pause }, { limitedBy: 'slow' })] },
    ['sender_pause'],
    1_800,
  ],
  [
    'a breaker',
    { destinations: [limited('breaker', { breaker: 'open', closedForMs: 40_000 })] },
    ['breaker'],
    40,
  ],
  [
    'a rest',
    { destinations: [limited('rest', { breaker: 'open', closedForMs: 7_200_000 })] },
    ['rest'],
    7_200,
  ],
  [
    'a quota that is used up',
    {
      destinations: [
        at(
          { status: { ...gmail.status, limits: { perDay: 0 }, today: { ...today, left: 0 } } },
          { limitedBy: 'quota' },
        ),
      ],
    },
    ['quota'],
    3_600,
  ],
  ['a window that grows', { destinations: [limited('growing')] }, ['growing'], null],
  [
    'a destination of unknown pace',
    { destinations: [{ ...gmail, status: { ...gmail.status, pace: undefined } }] },
    ['unknown'],
    null,
  ],
  [
    'retries only',
    { destinations: [at({ ready: 0, retrying: 900, retryInMs: 120_000, otherLanes: 5 })] },
    ['retries'],
    120,
  ],
  [
    'others at the same destination',
    { destinations: [at({ otherLanes: 12 }, { limitedBy: 'ceiling' })] },
    ['ceiling', 'shared'],
    10,
  ],
  ['an audience that is still read', { state: 'expanding', isExpanded: false }, ['none', 'expanding'], 10],
  ['nothing but doubts', { pending: 0, inDoubt: 3, destinations: [] }, ['in_doubt'], null],
];

test.each(cases)('%s', (_, facts, rules, seconds) => {
  const { findings, secondsLeft } = explainCampaign({ ...running, ...facts });
  expect(findings.map(({ rule }) => rule)).toEqual(rules);
  expect(secondsLeft).toBe(seconds);
});

test('what concerns most messages comes first, what is stopped does not count for a rate', () => {
  const yahoo = {
    ...at({ ready: 8_000 }, { limitedBy: 'breaker', closedForMs: 5_000 }),
    id: 2,
    name: 'yahoo',
  };
  const facts = { pending: 9_000, perMinute: 60, destinations: [limited('slow'), yahoo] };
  const { findings } = explainCampaign({ ...running, ...facts });
  expect(findings.map(({ rule, pending, destination }) => [rule, destination?.name, pending])).toEqual([
    ['breaker', 'yahoo', 8_000],
    ['campaign_rate', undefined, 1_000],
    ['slow', 'gmail', 1_000],
  ]);
  expect(rulesOf({ ...facts, destinations: [limited('slow'), { ...yahoo, ready: 5 }] })[0]).toBe(
    'campaign_rate',
  );
});

test('details are sentences with their figures', () => {
  const detailOf = (facts: Partial<CampaignFacts>) =>
    explainCampaign({ ...running, ...facts }).findings[0]?.detail;
  expect(detailOf({ perMinute: 1_200 })).toBe('It is set to no more than 1,200 messages a minute.');
  expect(detailOf({ state: 'scheduled', startsInMs: 10_800_000 })).toBe(
    'It is not due yet: it starts in 3 h.',
  );
  expect(detailOf({ destinations: [at({ senderPause: pause })] })).toBe(
    'It refuses mail from shop.example: nothing is sent to it before the pause ends in 30 min. It said: 550 5.7.1 not accepted',
  );
  expect(detailOf({ destinations: [limited('configured_rate')], tenantPerSecond: null })).toMatch(
    /^Its transport allows /,
  );
  expect(detailOf({ destinations: [at({ ready: 0, retrying: 1, retryInMs: 5_000 })] })).toBe(
    '1 message was deferred and waits for its next attempt: it is due in 5 s.',
  );
});

test('whatever holds, there is a reason for all that is pending, and stops come before notes', () => {
  const rule = fc.constantFrom<LimitingRule>(
    'none',
    'growing',
    'slow',
    'learnt_rate',
    'breaker',
    'rest',
    'quota',
    'ceiling',
  );
  const destination = fc
    .record({
      ready: fc.nat(1_000_000),
      retrying: fc.nat(1_000),
      retryInMs: fc.nat(),
      otherLanes: fc.nat(100),
      senderPause: fc.option(fc.constant(pause)),
      limitedBy: rule,
      measuredPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
    })
    .map(({ limitedBy, measuredPerSecond, ...rest }) => at(rest, { limitedBy, measuredPerSecond }));
  fc.assert(
    fc.property(
      fc.array(destination, { maxLength: 20 }),
      fc.option(fc.integer({ min: 1 })),
      (destinations, perMinute) => {
        const pending = destinations.reduce((sum, { ready, retrying }) => sum + ready + retrying, 0);
        const { findings, secondsLeft } = explainCampaign({ ...running, pending, perMinute, destinations });
        const weights = findings.map(({ weight }) => (weight === 'note' ? 1 : 0));
        expect(weights).toEqual([...weights].sort());
        const explained = findings.filter(({ destination, rule }) => destination && rule !== 'shared');
        expect(explained.reduce((sum, finding) => sum + finding.pending, 0)).toBe(pending);
        expect(secondsLeft === null || (secondsLeft >= 0 && Number.isFinite(secondsLeft))).toBe(true);
        for (const { detail } of findings) expect(detail).toMatch(/\S/);
      },
    ),
  );
});
