/**
 * What a crash of this process may leave in doubt beyond the wire: messages that are out, from the asking of their intent to the commit of their
 * result, less those on the wire. Never more than two groups, over all destinations (DESIGN 4).
 */
import { largestIntent } from '../ledger/intent.ts';

export const mostBeyondTheWire = 2 * largestIntent;

export class OpenBudget {
  #beyond = 0;
  #waiters: (() => void)[] = [];

  get free(): number {
    return mostBeyondTheWire - this.#beyond;
  }

  /** `n` messages are out now. */
  opened(n: number): void {
    this.#beyond += n;
  }

  /** `n` are settled, or were never granted. */
  closed(n: number): void {
    this.#beyond -= n;
    if (this.#waiters.length > 0 && this.free > 0) this.#wake();
  }

  /** One begins its way over the wire: it counts there until it has left it. */
  departs(): void {
    this.closed(1);
  }

  hasLeft(): void {
    this.opened(1);
  }

  /** Resolves when something is free again. */
  whenFree(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
