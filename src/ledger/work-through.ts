/** For sweeps over chunks or campaigns: one that can't be worked on keeps no other from its turn. */

import type { Patience } from '../platform/mysql.ts';

/** How long each waits for a lock. */
export const oneOfMany: Patience = { waitsOnce: true };

/** Told of each that failed, and why: for the log. */
export type PassedOver<T> = (item: T, error: unknown) => void;

/**
 * Works on each in turn and answers what went well. One that fails, because a process that is frozen holds its rows, is passed over; without that a sweep
 * would begin with the same one again and again. Throws the first failure when nothing went well, so that a database that takes nothing is not spun on.
 */
export async function workThrough<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  passedOver: PassedOver<T> = () => {},
): Promise<readonly R[]> {
  const done: R[] = [];
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      done.push(await work(item));
    } catch (error) {
      passedOver(item, error);
      failures.push(error);
    }
  }
  if (failures.length > 0 && done.length === 0) throw failures[0];
  return done;
}
