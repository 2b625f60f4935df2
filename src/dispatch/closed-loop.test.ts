/** Service over many passes, where tenants have a chunk or two: most of the time most of them have nothing ready. */
import { describe, expect, test } from 'vitest';
import { ClosedLoop, type LoopOptions } from './closed-loop-fixture.ts';
import { numbersTo } from './demand-fixture.ts';
import { quantumOf } from './lane-turns.ts';

const options = { perSecond: 500, windowMessages: 1_500, settlingMs: 300 };
const weights = [50, 100, 200, 400];
/** After Zipf: ten have more than one chunk, and two thirds less than a quantum. */
const tenants = numbersTo(1_000).map((id) => ({
  ...{ id, weight: weights[id % weights.length] as number },
  messages: Math.max(2, Math.round(5_000 / id)),
}));

function runUntilFewAreLeft(changes: Partial<LoopOptions> = {}) {
  const loop = new ClosedLoop(tenants, { ...options, ...changes });
  while (loop.backlogged().length > 20) loop.pass();
  const shares = loop.backlogged().map(({ served, weight }) => (served * 100) / weight);
  const served = loop.members.reduce((sum, member) => sum + member.served, 0);
  return { fairness: jainIndex(shares), perSecond: (served * 1_000) / loop.nowMs, loop };
}

/** 1: all alike; 1/n: one has everything. */
function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, n) => total + n, 0);
  return sum ** 2 / (values.length * values.reduce((total, n) => total + n * n, 0));
}

/** THE BOUND of dispatch-policy.ts; who has less than a quantum takes no more than that. */
function boundMs(): number {
  const { windowMessages, perSecond } = options;
  const quantum = quantumOf(windowMessages, tenants.length);
  const quanta = tenants.map(({ weight, messages }) =>
    Math.min(messages, Math.max(16, (quantum * weight) / 100)),
  );
  return ((windowMessages + quanta.reduce((sum, n) => sum + n, 0)) / perSecond) * 1_000;
}

describe('1,000 tenants of Zipf-distributed sizes, whose chunks have one grant under way at a time', () => {
  test('are served by their weights, none waits beyond the bound, and the destination is kept busy', () => {
    const { fairness, perSecond, loop } = runUntilFewAreLeft();
    expect(fairness).toBeGreaterThan(0.95);
    expect(Math.max(...loop.members.map(({ firstAtMs }) => firstAtMs))).toBeLessThan(boundMs());
    expect(perSecond).toBeGreaterThan(0.98 * options.perSecond);
  }, 30_000);

  test('are so across a change of leaders every ten seconds', () => {
    const { fairness, loop } = runUntilFewAreLeft({ forgets: (pass) => pass % 200 === 0 });
    expect(fairness).toBeGreaterThan(0.95);
    expect(Math.max(...loop.members.map(({ firstAtMs }) => firstAtMs))).toBeLessThan(boundMs());
  }, 30_000);
});
