import type { IncomingMessage } from './incoming-message.ts';

export type Line =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'too long' }
  | { readonly kind: 'bare line feed' };

const NOTHING: Buffer = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;

/** What a client sent and nobody has looked at yet, cut by TCP anywhere: taken out as command lines or as pieces of a message. */
export class Input {
  readonly #maxLineBytes: number;
  #bytes = NOTHING;
  #at = 0;
  #isSkippingLine = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  get length(): number {
    return this.#bytes.length - this.#at;
  }

  add(chunk: Buffer): void {
    this.#bytes = this.length === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  clear(): void {
    this.#bytes = NOTHING;
    this.#at = 0;
  }

  /** The next command line, or undefined until it is all here. Of a line that is too long only the first sight is told. */
  nextLine(): Line | undefined {
    const end = this.#bytes.indexOf(LF, this.#at);
    const length = end === -1 ? this.length : end + 1 - this.#at;
    if (this.#isSkippingLine || length > this.#maxLineBytes) return this.#skip(end, length);
    return end === -1 ? undefined : this.#takeLine(end);
  }

  /** Gives the message up to `limit` bytes; it takes no more than up to its own end. */
  giveTo(message: IncomingMessage, limit: number): void {
    const bytes = this.length > limit ? this.#bytes.subarray(0, this.#at + limit) : this.#bytes;
    this.#at = message.take(bytes, this.#at);
    if (this.length === 0) this.clear();
  }

  #takeLine(end: number): Line {
    const start = this.#at;
    this.#at = end + 1;
    if (end === start || this.#bytes[end - 1] !== CR) return { kind: 'bare line feed' };
    return { kind: 'line', text: this.#bytes.toString('utf8', start, end - 1) };
  }

  #skip(end: number, length: number): Line | undefined {
    const wasSkipping = this.#isSkippingLine;
    this.#at += length;
    this.#isSkippingLine = end === -1;
    if (!wasSkipping) return { kind: 'too long' };
    return end === -1 ? undefined : this.nextLine();
  }
}
