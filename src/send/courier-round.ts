/** What a courier does from when it is open until it has done its share, or there will be none: one message after another. */
import type { Courier } from '../transports/contract.ts';
import type { Announcements } from './announcements.ts';
import type { Outgoing } from './outgoing.ts';
import type { ReadyQueue } from './ready-queue.ts';

export interface CourierRound {
  readonly ready: ReadyQueue;
  readonly announced: Announcements;
  /** May it take one more that it has not announced? */
  readonly mayTake: (courier: Courier) => boolean;
  /** One less is ready. */
  readonly taken: () => void;
  readonly putBack: (outgoing: Outgoing) => void;
  /** Answers whether the courier got it: it may have been too late. */
  readonly deliver: (courier: Courier, outgoing: Outgoing) => Promise<boolean>;
}

/** What it has announced it delivers first, whatever has happened meanwhile; where that must not start, its connection is of no more use. */
export async function goRound(courier: Courier, round: CourierRound): Promise<void> {
  for (;;) {
    const announced = round.announced.take(courier);
    if (announced === 'retracted') return;
    if (announced) round.taken();
    const outgoing = announced ?? (await nextFor(courier, round));
    if (!outgoing) return;
    const hasStarted = await round.deliver(courier, outgoing);
    if (announced && !hasStarted) return;
  }
}

async function nextFor(courier: Courier, round: CourierRound): Promise<Outgoing | undefined> {
  if (!courier.isUsable || !round.mayTake(courier)) return undefined;
  const next = round.ready.next();
  // Only now does this courier count as idle, if it is.
  round.taken();
  const outgoing = await next;
  if (!outgoing || (courier.isUsable && !round.ready.isClosed)) return outgoing;
  // The courier has died while it waited, and the message goes to another; or all has been stopped.
  round.putBack(outgoing);
  return undefined;
}
