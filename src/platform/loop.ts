/**
 * The one loop of every polling part: a pass, an interruptible wait, again until stopped. A pass that throws is
 * logged and followed by a longer wait, so that broken infrastructure is neither spun on nor fatal.
 */
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';

export interface LoopOptions {
  readonly name: string;
  readonly log: Log;
  /** Wait after a pass that found nothing to do. */
  readonly idleMs: number;
  /** Wait after a pass that threw. */
  readonly errorMs?: number;
  /** Does one pass; says whether there is more to do at once. */
  readonly pass: (signal: AbortSignal) => Promise<'busy' | 'idle'>;
}

export interface Loop extends Lifecycle {
  /** Cuts the present wait short. */
  wake(): void;
}

export function createLoop(options: LoopOptions): Loop {
  const { name, log, idleMs, errorMs = 2_000, pass } = options;
  let abort = new AbortController();
  let running: Promise<void> | undefined;
  let woken = false;
  let endWait: () => void = () => {};

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await runPass(signal);
      if (waitMs > 0 && !signal.aborted) await wait(waitMs);
    }
  }

  async function runPass(signal: AbortSignal): Promise<number> {
    try {
      woken = false;
      return (await pass(signal)) === 'busy' ? 0 : idleMs;
    } catch (error) {
      log.error({ err: error, loop: name }, 'pass failed');
      return errorMs;
    }
  }

  function wait(ms: number): Promise<void> {
    if (woken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => endWait(), ms);
      endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function wake(): void {
    woken = true;
    endWait();
  }

  return {
    async start() {
      if (running) return;
      abort = new AbortController();
      running = run(abort.signal);
    },
    async stop() {
      abort.abort();
      wake();
      await running;
      running = undefined;
    },
    wake,
  };
}
