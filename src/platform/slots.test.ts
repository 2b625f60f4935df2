import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

async function settled(promise: Promise<void>): Promise<boolean> {
  let isSettled = false;
  void promise.then(() => {
    isSettled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
}

test('so many are let in, the next when one leaves, in order', async () => {
  const slots = new Slots(2);
  await slots.take();
  await slots.take();
  const third = slots.take();
  const fourth = slots.take();
  expect(await settled(third)).toBe(false);
  slots.free();
  expect(await settled(third)).toBe(true);
  expect(await settled(fourth)).toBe(false);
});

test('a lower limit lets nobody in until enough have left; a higher one lets waiters in at once', async () => {
  const slots = new Slots(3);
  for (let i = 0; i < 3; i++) await slots.take();
  slots.limit = 1;
  const next = slots.take();
  slots.free();
  slots.free();
  expect(await settled(next)).toBe(false);
  slots.limit = 2;
  expect(await settled(next)).toBe(true);
});
