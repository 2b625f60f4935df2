import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Grant } from '../ledger/grant.ts';
import { decodeJob, encodeJob, type GrantJob, jobIdOf, type QueuedGrant } from './jobs.ts';

const grants = fc.record({
  tenantId: fc.maxSafeNat(),
  campaignId: fc.maxSafeNat(),
  chunkNo: fc.nat(),
  part: fc.integer({ min: 202401, max: 209953 }),
  epoch: fc.nat(),
  n: fc.integer({ min: 1, max: 500 }),
}) as unknown as fc.Arbitrary<Grant>;
const jobs: fc.Arbitrary<GrantJob> = fc.record({
  class: fc.constantFrom('transactional', 'flow', 'campaign'),
  destinationId: fc.nat(),
  transportId: fc.maxSafeNat(),
  grants: fc.array(grants, { minLength: 1, maxLength: 40 }),
});

test('a job survives Redis', () => {
  fc.assert(
    fc.property(jobs, (job) => {
      expect(decodeJob(JSON.parse(JSON.stringify(encodeJob(job))))).toEqual(job);
    }),
  );
});

const [job] = fc.sample(jobs, { numRuns: 1, seed: 1 }) as [GrantJob];
const wire = encodeJob(job) as Record<string, unknown>;

test.each([
  ['of a later release', { ...wire, v: 2 }],
  ['without a version', { ...wire, v: undefined }],
  ['of an unknown class', { ...wire, c: 'bulk' }],
  ['without grants', { ...wire, g: [] }],
  ['with a grant of another shape', { ...wire, g: [[1, 2, 3]] }],
  ['that is no object', 'job'],
  ['that is nothing', undefined],
])('a job %s is left alone', (_, data) => {
  expect(decodeJob(data)).toBeUndefined();
});

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const [first, ...rest] = job.grants as [QueuedGrant];
const traced: GrantJob = { ...job, grants: [{ ...first, traceparent }, ...rest] };

test('a grant takes the trace of its stage along, and those beside it none', () => {
  const { grants } = decodeJob(JSON.parse(JSON.stringify(encodeJob(traced)))) as GrantJob;
  expect(grants[0]).toEqual({ ...first, traceparent });
  expect(grants.slice(1)).toStrictEqual(rest);
});

test('a job without traces is written as releases before tracing wrote it, and one with them has the same id', () => {
  expect(Object.keys(wire)).toEqual(['v', 'c', 'd', 't', 'g']);
  expect(jobIdOf(traced)).toBe(jobIdOf(job));
});

test('a release before tracing reads a job with traces: it knows the version and passes over the field', () => {
  const { p, ...known } = encodeJob(traced) as Record<string, unknown>;
  expect(p).toHaveLength(job.grants.length);
  expect(known).toEqual(wire);
});

test.each([[7], ['text'], [[7]], [{}], [null], [[]], [['nonsense']]])(
  'traces that are %j cost no message',
  (p) => {
    const decoded = decodeJob({ ...wire, p }) as GrantJob;
    expect(decoded.grants.map(({ traceparent: _, ...grant }) => grant)).toEqual(job.grants);
  },
);

test('what a later release adds beside the known fields is passed over', () => {
  expect(decodeJob({ ...wire, x: 1 })).toEqual(job);
});

test('the same grants make the same id, another epoch another one, and none has a colon', () => {
  fc.assert(
    fc.property(jobs, (one) => {
      expect(jobIdOf(one)).toBe(jobIdOf({ ...one, grants: [...one.grants] }));
      expect(jobIdOf(one)).not.toContain(':');
      const [first, ...rest] = one.grants as [Grant];
      expect(jobIdOf({ ...one, grants: [{ ...first, epoch: first.epoch + 1 }, ...rest] })).not.toBe(
        jobIdOf(one),
      );
    }),
  );
});
