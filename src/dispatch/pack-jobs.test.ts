import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestJob } from '../queues/jobs.ts';
import type { DestinationState } from './demand.ts';
import { packJobs } from './pack-jobs.ts';
import { piecesOf } from './pieces.ts';
import type { PlannedGrant } from './plan-grants.ts';

const transportOf = new Map([
  [1, 11],
  [2, 22],
  [3, 33],
]);
const planned = (chunkNo: number, n: number, destinationId = 1, deliveryClass = 2): PlannedGrant =>
  ({
    lane: { tenantId: 1, destinationId, class: deliveryClass },
    grant: { tenantId: 1, campaignId: 1, chunkNo, part: 202547, epoch: 1, n },
  }) as unknown as PlannedGrant;

const whole = () => largestJob;

test('grants of one destination and class share a job up to 500 messages', () => {
  const jobs = packJobs(
    [planned(0, 300), planned(1, 200), planned(2, 1), planned(3, 10, 2), planned(4, 10, 1, 0)],
    transportOf,
    whole,
  );
  expect(jobs.map((job) => [job.class, job.transportId, job.grants.map((grant) => grant.chunkNo)])).toEqual([
    ['campaign', 11, [0, 1]],
    ['campaign', 11, [2]],
    ['campaign', 22, [3]],
    ['transactional', 11, [4]],
  ]);
});

test('of a destination with a small window and shared connections each job is a piece of it', () => {
  const demand = (destinationId: number, windowMessages: number) =>
    ({ destinationId, windowMessages, sharesConnections: destinationId < 4 }) as DestinationState;
  const pieces = piecesOf([demand(1, 600), demand(2, 40), demand(3, 8_000), demand(4, 600)]);
  const grants = [1, 2, 3, 4].flatMap((d) => [0, 1, 2, 3].map((i) => planned(10 * d + i, 16, d)));
  const jobs = packJobs(grants, transportOf, pieces);
  // A sixteenth of 600 holds two of these; of 40 it would hold none; of 8,000, or without shared connections, as many as a job may.
  expect(jobs.map((job) => job.grants.length)).toEqual([2, 2, 1, 1, 1, 1, 4, 4]);
});

test('no grant is lost, doubled or mixed, and no job is larger than one grant or 500', () => {
  const grants = fc.array(
    fc.record({ n: fc.integer({ min: 1, max: 500 }), d: fc.integer({ min: 1, max: 3 }), c: fc.nat(2) }),
  );
  fc.assert(
    fc.property(grants, (many) => {
      const all = many.map(({ n, d, c }, chunkNo) => planned(chunkNo, n, d, c));
      const jobs = packJobs(all, transportOf, whole);
      const packed = jobs.flatMap((job) => job.grants.map((grant) => grant.chunkNo)).sort((a, b) => a - b);
      expect(packed).toEqual(all.map(({ grant }) => grant.chunkNo));
      for (const job of jobs) {
        expect(job.grants.reduce((total, { n }) => total + n, 0)).toBeLessThanOrEqual(largestJob);
        const lanes = new Set(
          job.grants.map(({ chunkNo }) => `${all[chunkNo]?.lane.destinationId}/${all[chunkNo]?.lane.class}`),
        );
        expect(lanes.size).toBe(1);
      }
    }),
  );
});
