import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adopt, toPublished } from './adopt-pace.ts';
import { coldState, observe, tick } from './learn.ts';
import type { PaceReport } from './pace.ts';
import { decodePace, encodePace } from './pace-coding.ts';
import { decodeReports, encodeReports } from './report-coding.ts';

const count = fc.integer({ min: 0, max: 1_000_000 });
const noted = fc.record({
  code: fc.integer({ min: 0, max: 599 }),
  text: fc.string({ maxLength: 200 }),
  class: fc.string({ maxLength: 20 }),
});
const report: fc.Arbitrary<PaceReport> = fc.record({
  destinationId: count,
  accepted: count,
  refused: count,
  throttled: count,
  timedOut: count,
  opened: count,
  openFailures: count,
  restMs: count,
  inFlight: count,
  connections: count,
  replies: fc.array(noted, { maxLength: 3 }),
});

test('reports come out as they went in', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), fc.array(report, { maxLength: 5 }), (owner, reports) => {
      expect(decodeReports(encodeReports({ owner, reports }))).toEqual({ owner, reports });
    }),
  );
});

test.each([
  '',
  'x',
  'null',
  '{}',
  '[2,"w",[]]',
  '[1,"w"]',
  '[1,"w",[[1,2]]]',
  '[1,"w",[["1",0,0,0,0,0,0,0,0,0,[]]]]',
])('a line that is not ours is none: %s', (text) => expect(decodeReports(text)).toBeUndefined());

test.each([null, undefined, '', '{"v":2}', '{"v":1,"pace":{}}'])(
  'a pace that is not ours is none: %s',
  (text) => {
    expect(decodePace(text)).toBeUndefined();
  },
);

/** A state after a few reports, at a time of the first leader's own clock. */
function lived(reports: readonly PaceReport[], nowMs: number) {
  let state = coldState(nowMs, {}, 10_000);
  for (const each of reports) {
    nowMs += 250;
    state = observe(state, each, { owner: 'w', nowMs });
    state = tick(state, { outstanding: 10, nowMs, limits: {}, ceiling: 10_000, random: 0.5 });
  }
  return { state, nowMs };
}

test('a leader with another clock adopts what was published: window, rate and what is left of a pause', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 6 }), (reports) => {
      const { state, nowMs } = lived(reports, 5_000_000);
      const published = decodePace(encodePace(toPublished(state, nowMs)))!;
      const adopted = adopt(published, { nowMs: 42, limits: {}, ceiling: 10_000 });
      const again = toPublished(adopted, 42);
      expect(again.memory.windowMessages).toBeCloseTo(Math.max(1, state.window.messages), 6);
      expect(again.pace.learntPerSecond).toEqual(published.pace.learntPerSecond);
      expect(again.pace.closedForMs).toBeCloseTo(published.pace.closedForMs, 3);
      expect(again.pace.windowMessages).toBe(published.pace.windowMessages);
      expect(again.pace.limitedBy).toBe(published.pace.limitedBy);
    }),
    { numRuns: 50 },
  );
});
