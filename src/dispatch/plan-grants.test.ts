import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Candidate } from './demand-store.ts';
import { planGrants } from './plan-grants.ts';

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
    ...{ isRunning: true, ...changes },
  }) as Candidate;
const plan = (messages: number, candidates: readonly Candidate[]) =>
  planGrants([{ lane, messages }], candidates);
const given = ({ grants }: ReturnType<typeof plan>) => grants.map(({ grant }) => [grant.chunkNo, grant.n]);

test('a share is filled from the chunks in their order, the last one in part', () => {
  expect(given(plan(1_200, [candidate(4), candidate(2), candidate(9), candidate(1)]))).toEqual([
    [4, 500],
    [2, 500],
    [9, 200],
  ]);
});

test('a grant carries its chunk and the epoch before dispatch, and no more than can be sent', () => {
  const { grants } = plan(100, [candidate(0, { sendable: 7 })]);
  expect(grants).toEqual([
    { lane, grant: { tenantId: 1, campaignId: 5, chunkNo: 0, part: 202547, epoch: 3, n: 7 } },
  ]);
});

test('chunks of campaigns that do not run are parked and not granted', () => {
  const paused = candidate(0, { isRunning: false });
  const result = plan(600, [paused, candidate(1)]);
  expect(given(result)).toEqual([[1, 500]]);
  expect(result.parked).toEqual([paused]);
  expect(result.idleLanes).toEqual([]);
});

test('a lane without a due chunk is idle; one whose chunks are all parked is looked at again', () => {
  expect(plan(100, []).idleLanes).toEqual([lane]);
  expect(plan(100, [candidate(0, { isRunning: false })]).idleLanes).toEqual([]);
});

test('crashes make grants smaller, down to one message', () => {
  const sizes = [0, 1, 2, 3, 6, 20].map((crashes) => given(plan(500, [candidate(0, { crashes })]))[0]?.[1]);
  expect(sizes).toEqual([500, 500, 250, 125, 15, 1]);
});

test('no share is exceeded, and no chunk is granted twice', () => {
  const candidates = fc.uniqueArray(
    fc.record({ chunkNo: fc.nat(100), sendable: fc.nat(500), crashes: fc.nat(30), isRunning: fc.boolean() }),
    { selector: (one) => one.chunkNo },
  );
  fc.assert(
    fc.property(candidates, fc.integer({ min: 1, max: 6_000 }), (chunks, messages) => {
      const { grants } = plan(
        messages,
        chunks.map(({ chunkNo, ...rest }) => candidate(chunkNo, rest)),
      );
      expect(grants.reduce((total, { grant }) => total + grant.n, 0)).toBeLessThanOrEqual(messages);
      expect(new Set(grants.map(({ grant }) => grant.chunkNo)).size).toBe(grants.length);
      expect(grants.every(({ grant }) => grant.n >= 1)).toBe(true);
    }),
  );
});
