/** Everything long-lived starts and stops alike: both calls are idempotent, and `stop` is bounded by its own time-outs. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the parts in order; stops them in reverse. If one fails to start, those already started are stopped again. */
export function composeLifecycle(parts: readonly Lifecycle[]): Lifecycle {
  let started: Lifecycle[] = [];
  const stop = async () => {
    const toStop = started.reverse();
    started = [];
    for (const part of toStop) await part.stop();
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
        await stop();
        throw error;
      }
    },
    stop,
  };
}
