import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate } from './candidate-store.ts';
import { demandOf, laneOf, outstandingOf } from './demand-fixture.ts';
import { planReads } from './dispatch-policy.ts';
import { planGrants } from './plan-grants.ts';
import { findHeld, planPass } from './plan-pass.ts';
import { RetryCredits } from './retry-credits.ts';
import { siftCandidates } from './sift-candidates.ts';

const lane = { tenantId: 1, destinationId: 1, class: 2 };
const candidate = (chunkNo: number, changes: Partial<Candidate> = {}): Candidate =>
  ({
    ...{
      tenantId: 1,
      campaignId: 5,
      chunkNo,
      part: 202547,
      lane,
      epoch: 3,
      sendable: 500,
      crashes: 0,
      size: 500,
    },
    ...{ isRetry: false, isRunning: true, senderRestsMs: 0, perMinute: null, overdueMs: 0 },
    ...changes,
  }) as Candidate;
const sift = (candidates: readonly Candidate[], outstanding: ReadonlyMap<number, number> = new Map()) =>
  siftCandidates(candidates, outstanding);
const plan = (messages: number, candidates: readonly Candidate[]) =>
  planGrants([{ lane, messages }], sift(candidates).ready, new RetryCredits()).grants;
const given = (grants: ReturnType<typeof plan>) => grants.map(({ grant }) => [grant.chunkNo, grant.n]);
const numbers = (chunks: readonly Candidate[]) => chunks.map(({ chunkNo }) => chunkNo);

test('a share is filled from the chunks in their order, the last one in part', () => {
  expect(given(plan(1_200, [candidate(4), candidate(2), candidate(9), candidate(1)]))).toEqual([
    [4, 500],
    [2, 500],
    [9, 200],
  ]);
});

test('a grant carries its chunk and the epoch before dispatch, and no more than can be sent', () => {
  expect(plan(100, [candidate(0, { sendable: 7 })])).toEqual([
    { lane, grant: { tenantId: 1, campaignId: 5, chunkNo: 0, part: 202547, epoch: 3, n: 7 } },
  ]);
});

test('crashes make grants smaller, down to one message', () => {
  const sizes = [0, 1, 2, 3, 6, 20].map((crashes) => given(plan(500, [candidate(0, { crashes })]))[0]?.[1]);
  expect(sizes).toEqual([500, 500, 250, 125, 15, 1]);
});

test('no share is exceeded, and no chunk is granted twice', () => {
  const candidates = fc.uniqueArray(
    fc.record({
      ...{ chunkNo: fc.nat(100), sendable: fc.nat(500), crashes: fc.nat(30) },
      ...{ isRunning: fc.boolean(), isRetry: fc.boolean() },
    }),
    { selector: (one) => one.chunkNo },
  );
  fc.assert(
    fc.property(candidates, fc.integer({ min: 1, max: 6_000 }), fc.nat(700), (chunks, messages, saved) => {
      const { ready } = sift(chunks.map(({ chunkNo, ...rest }) => candidate(chunkNo, rest)));
      const { grants } = planGrants([{ lane, messages }], ready, { of: () => saved });
      const waiting = ready.reduce((total, { most }) => total + most, 0);
      expect(grants.reduce((total, { grant }) => total + grant.n, 0)).toBe(Math.min(messages, waiting));
      expect(new Set(grants.map(({ grant }) => grant.chunkNo)).size).toBe(grants.length);
      expect(grants.every(({ grant }) => grant.n >= 1)).toBe(true);
    }),
  );
});

describe('retries', () => {
  const retries = [7, 8, 9].map((chunkNo) => candidate(chunkNo, { isRetry: true }));
  const ofRetries = (grants: ReturnType<typeof plan>) =>
    grants.reduce((sum, { grant }) => sum + (grant.chunkNo >= 7 ? grant.n : 0), 0);

  /** So many shares of a lane that has always both. */
  function serveShares(messages: number, times: number) {
    const credits = new RetryCredits();
    const grants = Array.from({ length: times }, () => {
      const { ready } = sift([...retries, ...[0, 1, 2, 3, 4, 5].map((chunkNo) => candidate(chunkNo))]);
      const planned = planGrants([{ lane, messages }], ready, credits);
      credits.save(planned.credits, [lane]);
      return planned.grants;
    });
    const given = grants.flat().reduce((sum, { grant }) => sum + grant.n, 0);
    return { part: ofRetries(grants.flat()) / given, grants: grants.flat().length };
  }

  test.each([1, 3, 16, 47, 300, 500, 900, 1_500])(
    'get a fifth of what their lane is given, %i messages at a time, while there is enough that is fresh',
    (messages) => {
      expect(serveShares(messages, 100).part).toBeCloseTo(0.2, 1);
    },
  );

  test.each([1, 16, 47, 300, 500])(
    'take turns with the fresh: shares of %i messages are one grant each, as without them',
    (messages) => {
      expect(serveShares(messages, 100).grants).toBe(100);
    },
  );

  test('begin at once in some lanes, later in others', () => {
    const firsts = [1, 2, 3, 4, 5].map((tenantId) => {
      const mine = { tenantId: tenantId as Candidate['tenantId'], lane: { ...lane, tenantId } };
      const { ready } = sift([candidate(0, mine), candidate(7, { ...mine, isRetry: true })]);
      return planGrants([{ lane: mine.lane, messages: 16 }], ready, new RetryCredits()).grants;
    });
    expect(firsts.map(given)).toEqual([[[0, 16]], [[0, 16]], [[0, 16]], [[7, 16]], [[0, 16]]]);
  });

  test('that run out and come again get no more than their part', () => {
    const credits = new RetryCredits();
    let retried = 0;
    for (let i = 0; i < 100; i++) {
      const { ready } = sift([candidate(0), candidate(7, { isRetry: true, sendable: 16 })]);
      const planned = planGrants([{ lane, messages: 16 }], ready, credits);
      credits.save(planned.credits, [lane]);
      retried += ofRetries(planned.grants);
    }
    expect(retried).toBeLessThanOrEqual(0.21 * 1_600);
  });

  test('get all that fresh messages leave', () => {
    expect(ofRetries(plan(1_000, [...retries, candidate(0, { sendable: 100 })]))).toBe(900);
    expect(ofRetries(plan(1_000, retries))).toBe(1_000);
  });

  test('leave to the fresh what they have no use for', () => {
    const few = candidate(7, { isRetry: true, sendable: 3 });
    expect(given(plan(1_000, [few, candidate(0), candidate(1)]))).toEqual([
      [0, 500],
      [1, 497],
      [7, 3],
    ]);
  });
});

describe('chunks that may not go', () => {
  test('of campaigns that do not run are parked', () => {
    const paused = candidate(0, { isRunning: false, senderRestsMs: 5 });
    const { ready, parked, postponed } = sift([paused, candidate(1)]);
    expect([numbers(ready.map(({ chunk }) => chunk)), parked, postponed]).toEqual([[1], [paused], []]);
  });

  test('of recipients who are to be left alone are due again when they are not', () => {
    const chunks = [candidate(0), candidate(1)];
    const { ready, postponed } = siftCandidates(chunks, new Map(), ({ chunkNo }) =>
      chunkNo === 0 ? 90_000 : 0,
    );
    expect(numbers(ready.map(({ chunk }) => chunk))).toEqual([1]);
    expect(postponed).toEqual([{ chunk: chunks[0], delayMs: 90_000 }]);
  });

  test('of a sender that rests are due again when it is over, and looked at now and then', () => {
    const { ready, postponed } = sift([
      candidate(0, { senderRestsMs: 60_000 }),
      candidate(1, { senderRestsMs: 9e9 }),
      candidate(2, { campaignId: 6 as Candidate['campaignId'] }),
    ]);
    expect(numbers(ready.map(({ chunk }) => chunk))).toEqual([2]);
    expect(postponed.map(({ delayMs }) => delayMs)).toEqual([60_000, 300_000]);
  });

  test('of a campaign with a rate: three seconds of it may be outstanding, the others are due when it reaches them', () => {
    const slow = { perMinute: 600, sendable: 100 };
    const chunks = [
      candidate(0, { ...slow, overdueMs: 1 }),
      candidate(1, { ...slow, overdueMs: 9 }),
      candidate(2, slow),
    ];
    const { ready, postponed } = sift([
      ...chunks,
      candidate(9, { campaignId: 6 as Candidate['campaignId'] }),
    ]);
    expect(ready.map(({ chunk, most }) => [chunk.chunkNo, most])).toEqual([
      [1, 30],
      [9, 500],
    ]);
    expect(postponed.map(({ chunk, delayMs }) => [chunk.chunkNo, delayMs])).toEqual([
      [0, 10_000],
      [2, 20_000],
    ]);
  });

  test('of a campaign that has as much outstanding as its rate allows wait, however slow it is', () => {
    const perMinute = 1;
    expect(sift([candidate(0, { perMinute })]).ready.map(({ most }) => most)).toEqual([1]);
    const { ready, postponed } = sift([candidate(0, { perMinute })], new Map([[5, 1]]));
    expect([ready, postponed.map(({ delayMs }) => delayMs)]).toEqual([[], [60_000]]);
  });
});

describe('a pass', () => {
  const limits = { totalMessages: 40_000 };
  const pass = (demands: Parameters<typeof planReads>[0], candidates: readonly Candidate[]) => {
    const reads = planReads(demands, limits, new Map());
    return planPass({
      demands,
      limits,
      turns: new Map(),
      credits: new RetryCredits(),
      reads,
      candidates,
      outstandingByCampaign: new Map(),
    });
  };

  test('finds lanes without a due chunk idle, and looks again at one whose chunks may not go', () => {
    const demands = [demandOf([laneOf(1), laneOf(2), laneOf(3)])];
    const stopped = candidate(0, { isRunning: false });
    const ofThird = candidate(1, { lane: { ...lane, tenantId: 3 }, tenantId: 3 as Candidate['tenantId'] });
    const plan = pass(demands, [stopped, ofThird]);
    expect(plan.idleLanes.map(({ tenantId }) => tenantId)).toEqual([2]);
    expect(plan.grants.map(({ lane }) => lane.tenantId)).toEqual([3]);
  });

  test('forgets what was at destinations that have nothing due or under way', () => {
    const turn = { now: 5, marks: new Map() };
    const turns = new Map(['1-2', '11-2'].map((key) => [key, turn]));
    const outstandingByCampaign = new Map();
    const read = { demands: [demandOf([])], limits, reads: [], candidates: [], outstandingByCampaign };
    const plan = planPass({ ...read, turns, credits: new RetryCredits() });
    expect([...plan.turns.keys()]).toEqual(['1-2']);
  });

  test('gives a lane what others turn out not to have', () => {
    const demands = [demandOf([laneOf(1), laneOf(2, { class: 0 })])];
    const urgent = candidate(9, { lane: { tenantId: 2, destinationId: 1, class: 0 }, sendable: 2 });
    const bulk = Array.from({ length: 20 }, (_, chunkNo) => candidate(chunkNo));
    const grants = pass(demands, [urgent, ...bulk]).grants;
    expect(grants.reduce((sum, { grant }) => sum + grant.n, 0)).toBe(6_002);
  });

  test('names the lanes whose tenant has as much outstanding as its rate allows', () => {
    const held = demandOf(
      [laneOf(1, { mostOutstanding: 10 }), laneOf(2, { mostOutstanding: 10 }), laneOf(3)],
      {
        outstanding: outstandingOf([0, 0, 15], { 1: 10, 2: 5 }),
      },
    );
    expect(findHeld([held]).map(({ tenantId }) => tenantId)).toEqual([1]);
  });
});
