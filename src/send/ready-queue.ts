/** Messages ready to start, and the couriers that wait for one. One of the two is always empty. */
import type { Outgoing } from './outgoing.ts';

export class ReadyQueue {
  readonly #ready: Outgoing[] = [];
  #waiting: ((next: Outgoing | undefined) => void)[] = [];
  #refuse: ((outgoing: Outgoing) => void) | undefined;

  get length(): number {
    return this.#ready.length;
  }

  /** Couriers that have nothing to do. */
  get idle(): number {
    return this.#waiting.length;
  }

  get isClosed(): boolean {
    return this.#refuse !== undefined;
  }

  push(outgoing: Outgoing): void {
    if (!this.#giveAway(outgoing)) this.#ready.push(outgoing);
  }

  /** Back to the front: it was first once. */
  putBack(outgoing: Outgoing): void {
    if (!this.#giveAway(outgoing)) this.#ready.unshift(outgoing);
  }

  /** The next message; undefined once the queue is closed. */
  next(): Promise<Outgoing | undefined> | Outgoing | undefined {
    if (this.#refuse) return undefined;
    return this.#ready.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The one that has waited longest, where it is wanted; never waits. */
  takeFirst(isWanted: (outgoing: Outgoing) => boolean): Outgoing | undefined {
    const [first] = this.#ready;
    return first && isWanted(first) ? this.#ready.shift() : undefined;
  }

  /** Sends one courier home that has nothing to do. */
  dismiss(): void {
    this.#waiting.shift()?.(undefined);
  }

  /** Takes out what may not start any more: every courier is busy with something that takes long. */
  takeLate(isLate: (outgoing: Outgoing) => boolean): readonly Outgoing[] {
    const late = this.#ready.filter(isLate);
    if (late.length > 0)
      this.#ready.splice(0, this.#ready.length, ...this.#ready.filter((one) => !isLate(one)));
    return late;
  }

  /** Takes all out, when no courier will come for them. */
  drain(): readonly Outgoing[] {
    return this.#ready.splice(0);
  }

  /** Sends waiting couriers home; what is here, and what an intent under way still brings, goes to `refuse`. */
  close(refuse: (outgoing: Outgoing) => void): void {
    this.#refuse = refuse;
    for (const waiting of this.#waiting) waiting(undefined);
    this.#waiting = [];
    for (const outgoing of this.drain()) refuse(outgoing);
  }

  #giveAway(outgoing: Outgoing): boolean {
    const taker = this.#refuse ?? this.#waiting.shift();
    taker?.(outgoing);
    return taker !== undefined;
  }
}
