import { BodyScanner, unstuff } from './body-scanner.ts';

const HEADER_END = Buffer.from('\r\n\r\n');
const HEADER_LIMIT_BYTES = 64 * 1024;
const MESSAGE_ID = /^message-id:[ \t]*(?:\r\n[ \t]+)?(\S+)/im;

/** A message on its way in: counts every byte, reads only its header block, and keeps bytes only when asked. */
export class IncomingMessage {
  readonly #scanner = new BodyScanner();
  readonly #kept: Buffer[] | undefined;
  #header: Buffer[] | undefined = [];
  #headerBytes = 0;
  #messageId = '';
  #isComplete = false;

  constructor(keepBytes: boolean) {
    this.#kept = keepBytes ? [] : undefined;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get received(): number {
    return this.#scanner.received;
  }

  get size(): number {
    return this.#scanner.size;
  }

  /** The Message-ID of the header block with its angle brackets, or '' when there is none. */
  get messageId(): string {
    return this.#messageId;
  }

  /** The message as its author wrote it, when its bytes were to be kept. */
  get bytes(): Buffer | undefined {
    return this.#kept === undefined ? undefined : unstuff(Buffer.concat(this.#kept));
  }

  /** Takes bytes from `from`, at most up to the end of the message. Answers how far it got in `chunk`. */
  take(chunk: Buffer, from: number): number {
    const end = this.#scanner.scan(chunk, from);
    this.#isComplete = end !== -1;
    const until = this.#isComplete ? end : chunk.length;
    this.#kept?.push(chunk.subarray(from, until));
    if (this.#header !== undefined) this.#readHeader(chunk.subarray(from, until));
    return until;
  }

  #readHeader(bytes: Buffer): void {
    const pieces = this.#header ?? [];
    pieces.push(bytes);
    this.#headerBytes += bytes.length;
    const soFar = pieces.length === 1 ? bytes : Buffer.concat(pieces);
    const end = soFar.indexOf(HEADER_END);
    if (end === -1 && !this.#isComplete && this.#headerBytes < HEADER_LIMIT_BYTES) {
      this.#header = [soFar];
      return;
    }
    this.#messageId = messageIdOf(end === -1 ? soFar : soFar.subarray(0, end));
    this.#header = undefined;
  }
}

function messageIdOf(header: Buffer): string {
  return MESSAGE_ID.exec(header.toString('latin1'))?.[1] ?? '';
}
