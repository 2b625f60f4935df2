import { expect, test } from 'vitest';
import { createHeldRoom } from './held-room.ts';

const nextTurn = () => new Promise<string>((resolve) => setImmediate(() => resolve('waits')));

test('what does not fit waits until something leaves', async () => {
  const room = createHeldRoom(1_000);
  await room.enter(1, 600);
  const coming = room.enter(2, 500);
  expect(await Promise.race([coming, nextTurn()])).toBe('waits');
  room.leave(1, 600);
  expect([await coming, room.held]).toEqual(['entered', 500]);
});

test('a job that is larger than the room enters an empty one', async () => {
  expect(await createHeldRoom(100).enter(1, 500)).toBe('entered');
});

test('a destination that stalls is turned away once it holds as much as is left for the others', async () => {
  const room = createHeldRoom(1_000);
  await room.enter(2, 100);
  for (let i = 0; i < 5; i++) await room.enter(1, 100);
  expect(await room.enter(1, 100)).toBe('crowded');
  expect([await room.enter(2, 100), await room.enter(3, 100)]).toEqual(['entered', 'entered']);
});

test('however many stall one after another, there is room for the next', async () => {
  const room = createHeldRoom(10_000);
  for (let destination = 1; destination <= 5; destination++) {
    while ((await room.enter(destination, 10)) === 'entered');
  }
  expect(room.held).toBeLessThan(10_000);
  expect(await room.enter(99, 10)).toBe('entered');
});
