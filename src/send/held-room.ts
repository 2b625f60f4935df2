/**
 * How many messages this process holds in memory, claimed and not yet settled. What a destination that stalls holds is memory and nothing else: no job, no slot,
 * no thread waits with it. It may hold no more than is still free to the others (dynamic thresholds), so that there is always room for the next.
 */
export interface HeldRoom {
  /** Resolves when there is room for so many; 'crowded' when this destination holds its share already. */
  enter(destinationId: number, messages: number): Promise<'entered' | 'crowded'>;
  leave(destinationId: number, messages: number): void;
  readonly held: number;
}

export function createHeldRoom(mostMessages: number): HeldRoom {
  const byDestination = new Map<number, number>();
  let held = 0;
  let waiters: (() => void)[] = [];

  function hold(destinationId: number, messages: number): void {
    held += messages;
    const own = (byDestination.get(destinationId) ?? 0) + messages;
    if (own > 0) byDestination.set(destinationId, own);
    else byDestination.delete(destinationId);
  }

  function isCrowded(destinationId: number): boolean {
    const own = byDestination.get(destinationId) ?? 0;
    return own > 0 && own > mostMessages - held;
  }

  return {
    async enter(destinationId, messages) {
      for (;;) {
        if (isCrowded(destinationId)) return 'crowded';
        if (held === 0 || held + messages <= mostMessages) break;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
      hold(destinationId, messages);
      return 'entered';
    },
    leave(destinationId, messages) {
      hold(destinationId, -messages);
      const woken = waiters;
      waiters = [];
      for (const wake of woken) wake();
    },
    get held() {
      return held;
    },
  };
}
