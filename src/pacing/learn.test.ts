import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coldState, observe, paceOf, tick } from './learn.ts';
import type { DestinationLimits, PaceReport } from './pace.ts';
import type { PaceState } from './pace-state.ts';

const quiet: PaceReport = {
  destinationId: 1,
  accepted: 0,
  refused: 0,
  throttled: 0,
  timedOut: 0,
  opened: 0,
  openFailures: 0,
  restMs: 0,
  inFlight: 0,
  connections: 0,
  replies: [],
};
const ceiling = 10_000;

/** A destination under a virtual clock: each step is a quarter of a second with one report of one worker. */
class Played {
  nowMs = 1_000_000;
  state: PaceState;
  readonly limits: DestinationLimits;

  constructor(limits: DestinationLimits = {}) {
    this.limits = limits;
    this.state = coldState(this.nowMs, limits, ceiling);
  }

  get pace() {
    return paceOf(this.state, this.nowMs);
  }

  step(report: Partial<PaceReport> | undefined, outstanding = this.pace.windowMessages, random = 0.5): this {
    this.nowMs += 250;
    const { nowMs, limits } = this;
    if (report) this.state = observe(this.state, { ...quiet, ...report }, { owner: 'w', nowMs });
    this.state = tick(this.state, { outstanding, nowMs, limits, ceiling, random });
    return this;
  }

  /** So many a second are answered; with a full window unless told otherwise. */
  answer(perSecond: number, forMs: number, outstanding?: number): this {
    for (let ms = 0; ms < forMs; ms += 250) this.step({ accepted: perSecond / 4 }, outstanding);
    return this;
  }

  silence(forMs: number, outstanding?: number): this {
    for (let ms = 0; ms < forMs; ms += 250) this.step(undefined, outstanding);
    return this;
  }
}

describe('the window', () => {
  test('begins at a thousand, and grows to three seconds of what is answered', () => {
    const played = new Played();
    expect(played.pace.windowMessages).toBe(1_000);
    expect(played.answer(1_500, 6_000).pace.windowMessages).toBeCloseTo(4_500, -2);
  });

  test('grows by half a step at most', () => {
    const played = new Played().answer(100, 8_000);
    const before = played.pace.windowMessages;
    expect(played.answer(3_000, 250).pace.windowMessages).toBeLessThanOrEqual(before * 1.5 + 1);
    expect(played.pace.limitedBy).toBe('growing');
  });

  test.each([200, 2_000])(
    'of a destination that hangs at %d a second is at the floor within 5 s',
    (perSecond) => {
      const played = new Played().answer(perSecond, 10_000);
      played.silence(5_000, played.pace.windowMessages);
      expect(played.pace.windowMessages).toBe(32);
      expect(played.pace.limitedBy).toBe('slow');
    },
  );

  test('of one that never answered at all is at the floor within 5 s, but not in the first two', () => {
    const played = new Played().silence(2_000, 1_000);
    expect(played.pace.windowMessages).toBe(1_000);
    expect(played.silence(3_000, 1_000).pace.windowMessages).toBe(32);
  });

  test('is not moved by lack of demand, and starts cold after a minute of it', () => {
    const played = new Played().answer(1_500, 6_000);
    const before = played.pace.windowMessages;
    expect(played.answer(10, 30_000, 5).pace.windowMessages).toBe(before);
    expect(played.pace.limitedBy).toBe('none');
    expect(played.silence(61_000, 0).pace.windowMessages).toBe(1_000);
  });

  test('is cut once a tick by time-outs, however many, and not by one among many answers', () => {
    const played = new Played().answer(400, 6_000);
    const before = played.pace.windowMessages;
    played.step({ accepted: 100, timedOut: 1 });
    expect(played.pace.windowMessages).toBeGreaterThan(before * 0.9);
    played.step({ accepted: 100, timedOut: 50 });
    expect(played.pace.windowMessages / before).toBeCloseTo(0.7, 1);
  });

  test('is three seconds of a rate, at least one message, and never above the ceiling', () => {
    expect(new Played({ perSecond: 20 }).pace).toMatchObject({
      windowMessages: 60,
      limitedBy: 'configured_rate',
    });
    expect(new Played({ perSecond: 0.01 }).pace.windowMessages).toBe(1);
    expect(new Played().answer(9_000, 8_000).pace).toMatchObject({
      windowMessages: ceiling,
      limitedBy: 'ceiling',
    });
  });

  test('is what is left of the day', () => {
    expect(new Played({ perDay: 7 }).pace).toMatchObject({ windowMessages: 7, limitedBy: 'quota' });
    expect(new Played({ perDay: 0 }).pace).toMatchObject({ windowMessages: 0, limitedBy: 'quota' });
  });
});

describe('the learnt rate', () => {
  test('is nine tenths of what was accepted when it refused, and holds for two seconds', () => {
    const played = new Played().answer(100, 4_000).step({ accepted: 20, throttled: 5 });
    const learnt = played.pace.learntPerSecond!;
    expect(learnt).toBeGreaterThan(80);
    expect(learnt).toBeLessThanOrEqual(90);
    expect(played.pace.limitedBy).toBe('learnt_rate');
    expect(played.answer(learnt, 1_750).pace.learntPerSecond).toBe(learnt);
    expect(played.answer(learnt, 2_000).pace.learntPerSecond).toBeGreaterThan(learnt);
  });

  test('is not learnt from one refusal among hundreds, but growth stops', () => {
    const played = new Played().answer(1_000, 4_000).step({ accepted: 249, throttled: 1 });
    expect(played.pace.learntPerSecond).toBeUndefined();
    const learnt = played.step({ accepted: 200, throttled: 50 }).pace.learntPerSecond!;
    expect(learnt).toBeLessThan(1_000);
  });

  test('grows only while it is used', () => {
    const played = new Played().answer(100, 4_000).step({ accepted: 20, throttled: 5 });
    const learnt = played.pace.learntPerSecond!;
    expect(played.answer(learnt / 2, 20_000).pace.learntPerSecond).toBe(learnt);
  });

  test('grows quickly past what it took before it refused all: that was no limit', () => {
    const played = new Played().answer(30, 6_000);
    for (let ms = 0; ms < 10_000; ms += 1_000) played.step({ throttled: 1 }).silence(750);
    expect(played.pace.learntPerSecond).toBeLessThan(1);
    for (let ms = 0; ms < 30_000; ms += 250)
      played.step({ accepted: Math.min(100, played.pace.learntPerSecond ?? 100) / 4 });
    expect(played.pace.learntPerSecond).toBeGreaterThan(100);
  });

  test('never passes the configured one, and is forgotten half an hour after the last refusal', () => {
    const played = new Played({ perSecond: 95 }).answer(95, 4_000).step({ accepted: 20, throttled: 4 });
    expect(played.answer(94, 60_000).pace.learntPerSecond).toBe(95);
    expect(played.silence(1_800_000, 0).pace.learntPerSecond).toBeUndefined();
  });

  test('is not touched by what a recipient is refused for', () => {
    const played = new Played().answer(100, 4_000).step({ accepted: 10, refused: 90 });
    expect(played.pace.learntPerSecond).toBeUndefined();
  });
});

describe('the breaker', () => {
  const opened = (random = 0.5) => {
    const played = new Played();
    for (let i = 0; i < 5; i++) played.step({ openFailures: 1 }, 100, random);
    return played;
  };

  test('opens after five failures in a row, not with a success between', () => {
    const played = new Played();
    for (let i = 0; i < 4; i++) played.step({ openFailures: 1 });
    expect(played.pace.breaker).toBe('closed');
    played.step({ opened: 1 });
    for (let i = 0; i < 4; i++) played.step({ openFailures: 1 });
    expect(played.pace.breaker).toBe('closed');
    expect(played.step({ openFailures: 1 }).pace).toMatchObject({
      breaker: 'open',
      closedForMs: 7_500,
      windowMessages: 0,
      limitedBy: 'breaker',
    });
  });

  test('lets one message try when its time is over, and closes with its answer to a tenth of the window', () => {
    const played = opened().silence(7_500, 0);
    expect(played.pace).toMatchObject({ breaker: 'half_open', windowMessages: 1, closedForMs: 0 });
    played.step({ opened: 1, accepted: 1 });
    expect(played.pace).toMatchObject({ breaker: 'closed', windowMessages: 100, limitedBy: 'growing' });
    expect([1, 2, 3, 4].map(() => played.answer(400, 250).pace.windowMessages)).toEqual([
      200, 400, 800, 1_000,
    ]);
  });

  test('opens for twice as long each time the probe fails, up to ten minutes', () => {
    const played = opened();
    const closedFor = [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000].map(() => {
      played.silence(played.pace.closedForMs + 250, 0);
      return played.step({ openFailures: 1 }, 1).pace.closedForMs;
    });
    expect(closedFor).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  test('spreads its pauses over the whole time, but never makes none', () => {
    expect(opened(0).pace.closedForMs).toBe(1_000);
    expect(opened(1).pace.closedForMs).toBe(15_000);
  });

  test('sends another probe when one vanished, even with messages stuck', () => {
    const played = opened().silence(7_500, 0);
    played.silence(59_000, 3);
    expect(played.pace.windowMessages).toBe(1);
    played.silence(1_500, 3);
    expect(played.pace.windowMessages).toBe(4);
    expect(played.silence(1_000, 4).pace.windowMessages).toBe(4);
  });

  test('rests as long as was asked for, a day at most, and then probes', () => {
    const played = new Played().step({ throttled: 1, restMs: 7_200_000 });
    expect(played.pace).toMatchObject({ breaker: 'open', closedForMs: 7_200_000, limitedBy: 'rest' });
    expect(played.step({ restMs: 60_000 }).pace.closedForMs).toBe(7_200_000 - 250);
    expect(new Played().step({ restMs: 9e9 }).pace.closedForMs).toBe(86_400_000);
    played.nowMs += 7_200_000;
    expect(played.step(undefined, 0).pace.breaker).toBe('half_open');
  });
});

test('what workers hold is what each said last, until it is silent for five seconds', () => {
  const played = new Played().step({ inFlight: 3, connections: 2 });
  const { nowMs } = played;
  const other = { ...quiet, inFlight: 4, connections: 1 };
  played.state = observe(played.state, other, { owner: 'other', nowMs });
  expect(played.pace).toMatchObject({ inFlight: 7, connections: 3 });
  played.step({ inFlight: 1, connections: 1 });
  expect(played.pace).toMatchObject({ inFlight: 5, connections: 2 });
  expect(played.silence(5_250).pace).toMatchObject({ inFlight: 0, connections: 0 });
});

test('the last three replies are kept', () => {
  const played = new Played();
  for (const code of [421, 450, 451, 452])
    played.step({ replies: [{ code, text: 'x', class: 'throttled' }] });
  expect(played.pace.lastReplies.map((reply) => reply.code)).toEqual([450, 451, 452]);
});

test('whatever is reported, a window stays within its bounds', () => {
  const n = fc.integer({ min: 0, max: 500 });
  const report = fc.record({
    accepted: n,
    refused: n,
    throttled: fc.constantFrom(0, 0, 0, 1, 50),
    timedOut: fc.constantFrom(0, 0, 1, 20),
    opened: fc.constantFrom(0, 1),
    openFailures: fc.constantFrom(0, 0, 1, 3),
    restMs: fc.constantFrom(0, 0, 0, 0, 2_000),
  });
  const limits = fc.record({
    perSecond: fc.option(fc.double({ min: 0.01, max: 5_000, noNaN: true }), { nil: undefined }),
    perDay: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
  });
  const steps = fc.array(fc.tuple(report, fc.integer({ min: 0, max: 5_000 })), { maxLength: 60 });
  fc.assert(
    fc.property(limits, steps, (allowed, all) => {
      const played = new Played(allowed);
      for (const [lived, outstanding] of all) {
        const { windowMessages, learntPerSecond, breaker } = played.step(lived, outstanding).pace;
        const rate = Math.min(learntPerSecond ?? Infinity, allowed.perSecond ?? Infinity);
        expect(windowMessages).toBeLessThanOrEqual(Math.min(ceiling, allowed.perDay ?? Infinity));
        if (breaker === 'closed')
          expect(windowMessages).toBeLessThanOrEqual(Math.max(rate < 0.5 ? 1 : 4, rate * 3));
        if (breaker === 'open') expect(windowMessages).toBe(0);
        if (breaker === 'closed' && allowed.perDay !== 0) expect(windowMessages).toBeGreaterThanOrEqual(1);
        if (learntPerSecond !== undefined) expect(learntPerSecond).toBeGreaterThanOrEqual(0.01);
      }
    }),
    { numRuns: 200 },
  );
});
