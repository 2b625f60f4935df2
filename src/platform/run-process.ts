/**
 * The life of a process: start, run until SIGTERM or SIGINT, finish what is on the wire, exit within a bound.
 * A second signal, or the bound, ends it at once: leases then run out and others take over.
 */

import { flushSpans } from '../tracing/flush-spans.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';

export interface RunOptions {
  readonly log: Log;
  readonly stopTimeoutMs: number;
}

/** A collector that is away holds nobody up. */
const longestFlushMs = 2_000;

export async function runProcess(part: Lifecycle, { log, stopTimeoutMs }: RunOptions): Promise<void> {
  let stopping: Promise<void> | undefined;

  async function stop(signal: string): Promise<void> {
    log.info({ signal }, 'stopping');
    const bound = setTimeout(() => {
      log.error({ stopTimeoutMs }, 'did not stop in time');
      process.exit(1);
    }, stopTimeoutMs);
    await part.stop();
    await flushSpans(longestFlushMs);
    clearTimeout(bound);
    log.info('stopped');
    process.exit(0);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = stop(signal).catch((error) => {
        log.fatal({ err: error }, 'stop failed');
        process.exit(1);
      });
    });
  }
  try {
    await part.start();
    log.info('started');
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    await part.stop().catch(() => undefined);
    process.exit(1);
  }
}
