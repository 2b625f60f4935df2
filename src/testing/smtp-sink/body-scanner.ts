const LINE_START_DOT = Buffer.from('\r\n.');

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** How far into CRLF.CRLF the bytes seen so far reach. */
const IN_LINE = 0;
const SEEN_CR = 1;
const AT_LINE_START = 2;
const SEEN_DOT = 3;
const SEEN_DOT_CR = 4;

/**
 * Finds the end of a message body in bytes that arrive cut anywhere, without looking at most of them: inside a line it jumps with
 * `indexOf`, and only bytes that may belong to the terminator go through the state machine. Only CRLF.CRLF ends a body: taking a
 * bare LF for a line end is how mail gets smuggled.
 */
export class BodyScanner {
  #state = AT_LINE_START;
  #stuffedDots = 0;
  #received = 0;

  /** Bytes taken so far, terminator included. */
  get received(): number {
    return this.#received;
  }

  /** The size of the complete message: without the terminating dot line and without stuffed dots. */
  get size(): number {
    return this.#received - 3 - this.#stuffedDots;
  }

  /** Takes bytes up to the end of the body. Answers the position in `chunk` after the terminator, or -1 when the body goes on. */
  scan(chunk: Buffer, from = 0): number {
    const end = this.#findEnd(chunk, from);
    this.#received += (end === -1 ? chunk.length : end) - from;
    return end;
  }

  #findEnd(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#state === IN_LINE) {
        const found = chunk.indexOf(LINE_START_DOT, at);
        if (found === -1) return this.#endInsideLine(chunk, at);
        this.#state = SEEN_DOT;
        at = found + LINE_START_DOT.length;
      } else if (this.#step(chunk[at++]!)) {
        return at;
      }
    }
    return -1;
  }

  /** One byte near a line end. Answers true when it completes the terminator. */
  #step(byte: number): boolean {
    if (this.#state === SEEN_DOT_CR && byte === LF) return true;
    if (this.#state === SEEN_DOT && byte === CR) {
      this.#state = SEEN_DOT_CR;
      return false;
    }
    if (this.#state >= SEEN_DOT) this.#stuffedDots++;
    if (byte === CR) this.#state = SEEN_CR;
    else if (this.#state === SEEN_CR && byte === LF) this.#state = AT_LINE_START;
    else if (this.#state === AT_LINE_START && byte === DOT) this.#state = SEEN_DOT;
    else this.#state = IN_LINE;
    return false;
  }

  /** No further terminator starts in this chunk, but it may end in the first bytes of one. */
  #endInsideLine(chunk: Buffer, from: number): -1 {
    const last = chunk[chunk.length - 1];
    const beforeLast = chunk.length - 2 >= from ? chunk[chunk.length - 2] : undefined;
    if (last === CR) this.#state = SEEN_CR;
    else if (last === LF && beforeLast === CR) this.#state = AT_LINE_START;
    return -1;
  }
}

/** The message as its author wrote it, from the bytes on the wire, terminator included: the dot that starts a line is dropped. */
export function unstuff(wire: Buffer): Buffer {
  const body = wire.subarray(0, wire.length - 3);
  const pieces: Buffer[] = [];
  let from = body[0] === DOT ? 1 : 0;
  for (let at = body.indexOf(LINE_START_DOT); at !== -1; at = body.indexOf(LINE_START_DOT, from)) {
    pieces.push(body.subarray(from, at + 2));
    from = at + LINE_START_DOT.length;
  }
  pieces.push(body.subarray(from));
  return Buffer.concat(pieces);
}
