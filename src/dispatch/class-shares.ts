/**
 * A destination's room among the classes: weighted water-filling over what each has outstanding. A class that has less than its guarantee is filled
 * up first; what a class doesn't want goes to the others. Pure.
 */
import { deliveryClasses } from '../ledger/states.ts';
import { isWorthwhile, type Room } from './window-room.ts';

/** Transactional mail is guaranteed half of a contended window, flows and campaigns a quarter each. */
const guarantees = [2, 1, 1] as const;

/** By class, how many messages each may add. `wanted` may be Infinity. */
export function shareAmongClasses(
  room: Room,
  held: readonly number[],
  wanted: readonly number[],
): readonly number[] {
  const bulk = fillUp(room.bulk, held, [0, wanted[1] as number, wanted[2] as number]);
  const filled = fillUp(room.all, held, [wanted[0] as number, bulk[1] as number, bulk[2] as number]);
  return filled.map((messages, c) => refill(messages, c, { held, wanted }));
}

/** What is not worth a grant yet stays free for its class: given to another, the class would wait for ever. */
function refill(
  messages: number,
  deliveryClass: number,
  { held, wanted }: { held: readonly number[]; wanted: readonly number[] },
): number {
  if (deliveryClass === deliveryClasses.transactional || messages === wanted[deliveryClass]) return messages;
  return isWorthwhile(messages, held[deliveryClass] as number) ? messages : 0;
}

/** Raises the level of all that want more, in proportion to their guarantees, until the room is used up. */
function fillUp(room: number, held: readonly number[], wanted: readonly number[]): readonly number[] {
  const addedAt = (level: number) =>
    guarantees.map((guarantee, c) =>
      Math.floor(Math.min(wanted[c] as number, Math.max(0, level * guarantee - (held[c] as number)))),
    );
  const highest = room + sumOf(held);
  if (sumOf(addedAt(highest)) <= room) return addedAt(highest);
  let [low, high] = [0, highest];
  while (high - low > 1 / 8) {
    const middle = (low + high) / 2;
    if (sumOf(addedAt(middle)) <= room) low = middle;
    else high = middle;
  }
  return handOut(room, addedAt(low), wanted);
}

/** The last few messages, which no common level divides, go to the classes in their order. */
function handOut(room: number, added: readonly number[], wanted: readonly number[]): readonly number[] {
  let left = room - sumOf(added);
  return added.map((messages, c) => {
    const more = Math.min(left, (wanted[c] as number) - messages);
    left -= more;
    return messages + more;
  });
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
