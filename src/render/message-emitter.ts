/**
 * Where a template's output goes when a message is rendered: segment numbers from its static nodes, encoded text from
 * everything else. A value can't be taken for a segment, whatever it holds: the two arrive by different calls.
 */
import type { Emitter } from 'liquidjs';
import { limits } from './limits.ts';
import type { MessagePart } from './message.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';
import { RenderFailure } from './render-failure.ts';
import { toText } from './text-emitter.ts';

export class MessageEmitter implements Emitter {
  /** Part of LiquidJS's contract, where it would be the output so far. */
  readonly buffer = '';
  readonly #segments: readonly Buffer[];
  readonly #parts: MessagePart[] = [];
  #pending = '';
  #bytes = 0;

  constructor(segments: readonly Buffer[]) {
    this.#segments = segments;
  }

  /** A value of the recipient's, as LiquidJS printed it. Consecutive ones share a part. */
  write(value: unknown): void {
    this.#pending += typeof value === 'string' ? value : toText(value);
    if (this.#pending.length > limits.messageBytes) throw tooLarge();
  }

  writeSegment(number: number): void {
    if (this.#pending !== '') this.#flush();
    this.#add(number, (this.#segments[number] as Buffer).length);
  }

  /** Header text, encoded by the caller. */
  writeEncoded(text: string): void {
    if (this.#pending !== '') this.#flush();
    const bytes = Buffer.from(text, 'utf8');
    this.#add(bytes, bytes.length);
  }

  /** The whole message, once everything is written. */
  finish(): readonly MessagePart[] {
    if (this.#pending !== '') this.#flush();
    return this.#parts;
  }

  #flush(): void {
    const encoded = encodeQuotedPrintable(this.#pending);
    this.#pending = '';
    if (encoded !== '') this.#add(Buffer.from(encoded, 'latin1'), encoded.length);
  }

  #add(part: MessagePart, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > limits.messageBytes || this.#parts.length >= limits.messageParts) throw tooLarge();
    this.#parts.push(part);
  }
}

function tooLarge(): RenderFailure {
  return new RenderFailure(
    'too_large',
    `the message has more than ${limits.messageBytes} bytes or ${limits.messageParts} parts`,
  );
}
