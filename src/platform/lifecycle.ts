/** Everything long-lived starts and stops alike: both calls are idempotent, and `stop` is bounded by its own time-outs. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the parts in order; stops them in reverse, all of them, and throws then what the first to fail threw. If one fails to start,
 * those already started are stopped again.
 */
export function composeLifecycle(parts: readonly Lifecycle[]): Lifecycle {
  let started: Lifecycle[] = [];
  const stop = async () => {
    const toStop = started.reverse();
    started = [];
    const failures: unknown[] = [];
    for (const part of toStop) await part.stop().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  return {
    async start() {
      if (started.length > 0) return;
      try {
        for (const part of parts) {
          started.push(part);
          await part.start();
        }
      } catch (error) {
        await stop().catch(() => undefined);
        throw error;
      }
    },
    stop,
  };
}
