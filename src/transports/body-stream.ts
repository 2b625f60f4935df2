/**
 * A message's bytes as a stream that knows how much of itself was taken.
 *
 * nodemailer reads it for the first time after the server's 354, writes what it reads to the socket, and adds the final dot
 * only after the end. So `unread` proves that nothing of the body left, and anything short of `ended` proves that the
 * final dot did not: the server can't have accepted the message (RFC 5321 §4.1.1.4; §4.1.1.10: a connection that
 * breaks first counts as refused for now).
 */
import { Readable } from 'node:stream';

export type BodyProgress = 'unread' | 'reading' | 'ended';

/** Enough for most messages to be handed over in one go. */
const highWaterMark = 64 * 1024;

export class BodyStream extends Readable {
  readonly #buffers: readonly Buffer[];
  readonly #mayLeave: () => boolean;
  #next = 0;
  #progress: BodyProgress = 'unread';

  /** `mayLeave` is asked once, before the first byte; if it says no it has ended the connection, and nothing is read. */
  constructor(buffers: readonly Buffer[], mayLeave: () => boolean) {
    super({ highWaterMark });
    this.#buffers = buffers;
    this.#mayLeave = mayLeave;
  }

  get progress(): BodyProgress {
    return this.#progress;
  }

  override _read(): void {
    if (this.#progress === 'unread') {
      if (!this.#mayLeave()) return;
      this.#progress = 'reading';
    }
    while (this.#next < this.#buffers.length) {
      if (!this.push(this.#buffers[this.#next++])) return;
    }
    this.#progress = 'ended';
    this.push(null);
  }
}
