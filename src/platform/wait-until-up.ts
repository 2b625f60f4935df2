/** Waits for infrastructure at boot, as long as it takes: a process that exits while its database restarts only adds to the storm. */
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import type { Log } from './log.ts';

const againAfterMs = 1_000;

export interface WaitOptions {
  readonly name: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Tries until it works or the signal aborts. An AppError is a finding, not an outage (a wrong setting), and is thrown. */
export async function waitUntilUp(
  connect: () => Promise<unknown>,
  { name, log, signal }: WaitOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await connect();
      return;
    } catch (error) {
      if (error instanceof AppError) throw error;
      log.warn({ err: error, name }, 'waiting for it to be up');
      await pause(againAfterMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
