import { describe, expect, test } from 'vitest';
import { tick } from './learn.ts';
import { playProvider, type Sample } from './provider-model.ts';

/** A provider whose limit halves, then doubles; the fleet could send twice what it takes. */
const phaseMs = 75_000;

function play(perSecond: number, learner = tick): readonly Sample[] {
  const limits = [1, 0.5, 1].map((part, i) => ({ fromMs: i * phaseMs, perSecond: perSecond * part }));
  return playProvider({
    limits,
    endMs: 3 * phaseMs,
    demandPerSecond: 2 * perSecond,
    burstSeconds: 0.2,
    tick: learner,
  });
}

function between(samples: readonly Sample[], fromMs: number, toMs: number): readonly Sample[] {
  return samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

function partRefused(samples: readonly Sample[]): number {
  const refused = samples.reduce((sum, sample) => sum + sample.refused, 0);
  return refused / samples.reduce((sum, sample) => sum + sample.attempts, 0);
}

function takenPerSecond(samples: readonly Sample[]): number {
  return samples.reduce((sum, { attempts, refused }) => sum + attempts - refused, 0) / (samples.length / 10);
}

/** How long it took until the learnt rate was near the limit. */
function convergedAfterMs(phase: readonly Sample[], limit: number): number {
  const near = phase.find(
    ({ pace: { learntPerSecond: rate = Number.POSITIVE_INFINITY } }) =>
      rate > 0.85 * limit && rate < 1.1 * limit,
  );
  return near ? near.atMs - phase[0]!.atMs : Number.POSITIVE_INFINITY;
}

describe.each([20, 200, 2_000])(
  'a provider that takes %d a second, then half, then as before',
  (perSecond) => {
    const samples = play(perSecond);
    const phases = [0, 1, 2].map((i) => between(samples, i * phaseMs, (i + 1) * phaseMs));
    const limits = [perSecond, perSecond / 2, perSecond];

    test('is known within 60 s of each change', () => {
      for (const [i, phase] of phases.entries()) {
        expect(convergedAfterMs(phase, limits[i]!)).toBeLessThan(60_000);
      }
    });

    test('refuses less than one attempt in a hundred, the finding out included', () => {
      expect(partRefused(samples)).toBeLessThan(0.01);
    });

    test('is made use of: nine tenths of what it takes, once it is known', () => {
      for (const [i, phase] of phases.entries()) {
        expect(takenPerSecond(phase.slice(-150))).toBeGreaterThan(0.85 * limits[i]!);
      }
    });
  },
);

test('without growth the doubled limit is never found', () => {
  const withoutGrowth: typeof tick = (state, input) => {
    const next = tick(state, input);
    if (!next.rate || !state.rate) return next;
    return {
      ...next,
      rate: { ...next.rate, perSecond: Math.min(next.rate.perSecond, state.rate.perSecond) },
    };
  };
  const last = between(play(200, withoutGrowth), 2 * phaseMs, 3 * phaseMs);
  expect(convergedAfterMs(last, 200)).toBe(Number.POSITIVE_INFINITY);
  expect(takenPerSecond(last)).toBeLessThan(110);
});

test('without the cut half of all attempts are refused', () => {
  const withoutCut: typeof tick = (state, input) => ({ ...tick(state, input), rate: undefined });
  expect(partRefused(play(200, withoutCut))).toBeGreaterThan(0.4);
});

test('a provider that refuses all for two minutes is served again within 30 s, and not flooded', () => {
  const samples = playProvider({
    limits: [
      { fromMs: 0, perSecond: 200 },
      { fromMs: 60_000, perSecond: 0.001 },
      { fromMs: 180_000, perSecond: 200 },
    ],
    endMs: 240_000,
    demandPerSecond: 400,
    burstSeconds: 0.2,
  });
  const down = between(samples, 65_000, 180_000);
  // A fiftieth of what it took.
  expect(down.reduce((sum, sample) => sum + sample.attempts, 0)).toBeLessThan(0.02 * 200 * 115);
  expect(takenPerSecond(between(samples, 210_000, 240_000))).toBeGreaterThan(160);
  expect(partRefused(between(samples, 181_000, 240_000))).toBeLessThan(0.02);
});
