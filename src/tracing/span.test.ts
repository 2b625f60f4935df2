/** Without an SDK, as most installations run. With one: src/testing/tracing.e2e.test.ts. */
import { expect, test } from 'vitest';
import type { Grant } from '../ledger/grant.ts';
import { startGrantSpan } from './grant-span.ts';
import { activeTraceFields } from './log-fields.ts';
import { activeTraceparent, annotate, startSpan } from './span.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const grant = { tenantId: 1, campaignId: 2, chunkNo: 3, part: 202547, epoch: 4, n: 500 } as Grant;
const place = { destinationId: 5, class: 'campaign' } as const;

const never = () => {
  throw new Error('attributes were asked for');
};

test('without an SDK nothing is recorded, and no attribute is worked out', async () => {
  const span = startSpan('work', { attributes: never });
  span.set(never);
  await span.around(async () => {
    annotate(never);
    expect(activeTraceparent()).toBeUndefined();
    expect(activeTraceFields()).toEqual({});
  });
  expect(span.traceparent).toBeUndefined();
  expect(span.fields).toEqual({});
});

test('a grant without a trace goes on without one', () => {
  expect(startGrantSpan('dispatch', place, grant).traceparent).toBeUndefined();
});

test('a process without an SDK hands a trace on to those that have one', () => {
  expect(startGrantSpan('render', place, { ...grant, traceparent }).traceparent).toBe(traceparent);
});

test('what fails within a span fails outside of it', async () => {
  const failing = startSpan('work').around(() => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
});
