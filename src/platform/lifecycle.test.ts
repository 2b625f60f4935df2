import { expect, test } from 'vitest';
import { composeLifecycle } from './lifecycle.ts';

function part(name: string, told: string[], failing: { start?: boolean; stop?: boolean } = {}) {
  const tell =
    (what: string, fails = false) =>
    async () => {
      told.push(`${what} ${name}`);
      if (fails) throw new Error(`${what} ${name}`);
    };
  return { start: tell('start', failing.start), stop: tell('stop', failing.stop) };
}

test('parts start in order and stop in reverse, once each', async () => {
  const told: string[] = [];
  const whole = composeLifecycle([part('a', told), part('b', told)]);
  await whole.start();
  await whole.start();
  await whole.stop();
  await whole.stop();
  expect(told).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('when one fails to start, those before it are stopped, and it as well', async () => {
  const told: string[] = [];
  const whole = composeLifecycle([
    part('a', told),
    part('b', told, { start: true, stop: true }),
    part('c', told),
  ]);
  await expect(whole.start()).rejects.toThrow('start b');
  expect(told).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('one that fails to stop keeps no other running, and its failure is told', async () => {
  const told: string[] = [];
  const whole = composeLifecycle([part('a', told), part('b', told, { stop: true }), part('c', told)]);
  await whole.start();
  await expect(whole.stop()).rejects.toThrow('stop b');
  expect(told.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
});
