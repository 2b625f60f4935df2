import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testRun } from './fixtures.ts';
import type { GrantRun } from './grant-run.ts';

const seqs = (run: GrantRun, n: number) => run.take(n).map(({ seq }) => seq);
const nextTurn = () => new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
const isOver = (run: GrantRun) => Promise.race([run.over.then(() => true), nextTurn()]);

test('messages are taken in order; it is over when none waits and none is out', async () => {
  const run = testRun(3);
  expect(seqs(run, 2)).toEqual([0, 1]);
  expect([run.waiting, run.open]).toEqual([1, 2]);
  expect(seqs(run, 2)).toEqual([2]);
  expect(seqs(run, 2)).toEqual([]);
  run.close(2);
  expect(await isOver(run)).toBe(false);
  run.close(1);
  expect(await isOver(run)).toBe(true);
});

test('without messages it is over from the start', async () => {
  expect(await isOver(testRun(0))).toBe(true);
});

test('what is given back waits again, first', () => {
  const run = testRun(4);
  const taken = run.take(3);
  run.giveBack(taken.slice(1));
  expect([run.waiting, run.open]).toEqual([3, 1]);
  expect(seqs(run, 9)).toEqual([1, 2, 3]);
});

test('stopped, it lets nothing more out, and is over when what is out has come back', async () => {
  const run = testRun(5);
  const taken = run.take(3);
  run.stop(2_000);
  run.stop(500);
  expect([run.waiting, run.open, run.holdMs]).toEqual([0, 3, 2_000]);
  run.giveBack(taken.slice(1));
  expect(run.waiting).toBe(0);
  expect(await isOver(run)).toBe(false);
  run.close(1);
  expect(await isOver(run)).toBe(true);
});

test('it trusts its lease from the asking on, for nine tenths of the term', () => {
  const run = testRun(1, { claimedAt: 1_000 });
  expect([1_000, 27_999, 28_000].map((now) => run.isTrusted(now))).toEqual([true, true, false]);
  run.renewed(20_000);
  expect(run.isTrusted(46_999)).toBe(true);
});

test('a lost lease is never trusted again, whatever renewal was under way', () => {
  const run = testRun(2);
  run.take(1);
  run.lose();
  run.renewed(50_000);
  expect(run.isTrusted(50_001)).toBe(false);
  expect(run.waiting).toBe(0);
});

test('whatever the order of events, open counts return to nothing and the run ends', async () => {
  const events = fc.array(
    fc.oneof(
      fc.record({ take: fc.nat(8) }),
      fc.record({ close: fc.nat(8) }),
      fc.constant('giveBack'),
      fc.constant('stop'),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(30), events, async (n, steps) => {
      const run = testRun(n);
      let out = 0;
      for (const step of steps) {
        if (step === 'stop') run.stop();
        else if (step === 'giveBack') run.giveBack(run.take(3));
        else if (typeof step === 'object' && 'take' in step) out += run.take(step.take).length;
        else if (typeof step === 'object') {
          const closed = Math.min(step.close, out);
          out -= closed;
          run.close(closed);
        }
        expect(run.open).toBe(out);
      }
      run.stop();
      run.close(out);
      expect([run.open, run.waiting]).toEqual([0, 0]);
      expect(await isOver(run)).toBe(true);
    }),
  );
});
