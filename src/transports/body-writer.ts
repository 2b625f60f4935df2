/**
 * Writes a message's bytes and knows how far they can have got.
 *
 * It starts after the server's 354. So `unread` proves that nothing of the body left, and anything short of `ended` that the final dot did
 * not: the server can't have accepted the message (RFC 5321 §4.1.1.4; §4.1.1.10: a connection that breaks first counts as refused for
 * now). `ended` is set before the write that holds the final dot: from then on the kernel may send it at any moment.
 */

export type BodyProgress = 'unread' | 'reading' | 'ended';

/** Where the bytes go: `written` is called when the kernel has them, never if the connection ends first. */
export interface ByteSink {
  write(bytes: Buffer, written: () => void): void;
}

/**
 * Enough for most messages to be handed over in one write. Larger ones go in slices, each after the kernel took the one before, so that the
 * progress is true to about this size.
 */
const sliceSize = 64 * 1024;

export class BodyWriter {
  readonly #sink: ByteSink;
  readonly #buffers: readonly Buffer[];
  readonly #behind: () => string;
  #next = 0;
  /** Taken so far of the next buffer. */
  #offset = 0;
  #progress: BodyProgress = 'unread';

  /** The buffers hold the final dot. `behind` is asked once, when the last slice is about to be written: what leaves with it, behind the dot. */
  constructor(sink: ByteSink, buffers: readonly Buffer[], behind: () => string = nothing) {
    this.#sink = sink;
    this.#buffers = buffers;
    this.#behind = behind;
  }

  get progress(): BodyProgress {
    return this.#progress;
  }

  start(): void {
    const memory = this.#isSliceItself()
      ? undefined
      : (memoryAside.pop() ?? Buffer.allocUnsafeSlow(sliceSize));
    const slice = memory ? this.#joinInto(memory) : this.#takeUpTo(sliceSize);
    const isEnd = this.#next === this.#buffers.length;
    this.#progress = isEnd ? 'ended' : 'reading';
    this.#sink.write(isEnd ? joined(slice, memory, this.#behind()) : slice, () => {
      if (memory) putAside(memory);
      if (!isEnd) this.start();
    });
  }

  /** What is left of the next buffer fills a slice, and needs no copy. */
  #isSliceItself(): boolean {
    return (this.#buffers[this.#next]?.length ?? 0) - this.#offset >= sliceSize;
  }

  #joinInto(memory: Buffer): Buffer {
    let length = 0;
    while (length < sliceSize && this.#next < this.#buffers.length) {
      const taken = this.#takeUpTo(sliceSize - length);
      memory.set(taken, length);
      length += taken.length;
    }
    return memory.subarray(0, length);
  }

  #takeUpTo(room: number): Buffer {
    const buffer = this.#buffers[this.#next] as Buffer;
    const isWhole = this.#offset === 0 && buffer.length <= room;
    const taken = isWhole ? buffer : buffer.subarray(this.#offset, this.#offset + room);
    this.#offset += taken.length;
    if (this.#offset === buffer.length) {
      this.#next += 1;
      this.#offset = 0;
    }
    return taken;
  }
}

function nothing(): string {
  return '';
}

/** One write for both: in the slice's own memory, where it has some with room behind the slice. */
function joined(slice: Buffer, memory: Buffer | undefined, behind: string): Buffer {
  if (behind === '') return slice;
  const length = slice.length + Buffer.byteLength(behind);
  if (!memory || length > memory.length) return Buffer.concat([slice, Buffer.from(behind)], length);
  memory.write(behind, slice.length);
  return memory.subarray(0, length);
}

/**
 * Small buffers are joined in memory that is used again once the kernel has its bytes: a fresh buffer of 40 KB for each message doubles the cost of
 * its hand-over (ADR 12). What a connection took along when it ended is the collector's.
 */
const memoryAside: Buffer[] = [];
const mostAside = 32;

function putAside(memory: Buffer): void {
  if (memoryAside.length < mostAside) memoryAside.push(memory);
}
