interface Waiter {
  isReached(): boolean;
  done(): void;
}

/** Lets tests wait for something to have happened, told by the event itself and not by looking again and again. */
export class Milestones {
  readonly #waiters = new Set<Waiter>();

  /** Something counted has changed. Costs nothing while nobody waits. */
  check(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of [...this.#waiters]) if (waiter.isReached()) waiter.done();
  }

  /** Resolves once `isReached`; rejects after the time with what `describe` says. */
  reach(isReached: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    if (isReached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter = { isReached, done: () => finish(resolve) };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${describe()} after ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#waiters.add(waiter);
    });
  }
}
