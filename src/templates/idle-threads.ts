/** Worker threads of one kind, started when none is idle. They stay until they end or are ended. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';

/** The stack is a little smaller than the render workers': what nests too deeply for them is refused here. */
const resourceLimits = { maxOldGenerationSizeMb: 384, stackSizeMb: 1 };

export class IdleThreads {
  readonly #entry: URL;
  readonly #idle = new Set<Worker>();
  readonly #alive = new Set<Worker>();

  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** One that is ready, and the caller's until it is given back. Throws `unavailable` when it ends before it is ready. */
  async take(): Promise<Worker> {
    for (const thread of this.#idle) {
      this.#idle.delete(thread);
      return thread;
    }
    return this.#start();
  }

  giveBack(thread: Worker): void {
    if (this.#alive.has(thread)) this.#idle.add(thread);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#alive].map((thread) => thread.terminate()));
  }

  /** One that ends while it is idle must be taken by nobody: it answers nothing, and a good template would seem to take too long. */
  async #start(): Promise<Worker> {
    const thread = new Worker(this.#entry, { resourceLimits });
    this.#alive.add(thread);
    thread.once('exit', () => {
      this.#alive.delete(thread);
      this.#idle.delete(thread);
    });
    // An idle thread keeps no process from ending, nor does what is thrown in one end it.
    thread.unref();
    thread.on('error', () => {});
    await untilReady(thread);
    return thread;
  }
}

async function untilReady(thread: Worker): Promise<void> {
  const ended = once(thread, 'exit').then(() => {
    throw endedUnasked();
  });
  await Promise.race([once(thread, 'message'), ended]);
}

export function endedUnasked(): AppError {
  return new AppError('unavailable', { retryAfterSeconds: 1 });
}
