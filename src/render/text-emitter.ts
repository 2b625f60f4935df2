import { type Emitter, toValue } from 'liquidjs';
import { limits } from './limits.ts';
import { RenderFailure } from './render-failure.ts';

/** Collects plain text: subjects and previews. */
export class TextEmitter implements Emitter {
  buffer = '';
  readonly #maxLength: number;

  constructor(maxLength: number = limits.messageBytes) {
    this.#maxLength = maxLength;
  }

  write(value: unknown): void {
    this.buffer += toText(value);
    if (this.buffer.length > this.#maxLength) {
      throw new RenderFailure('too_large', `longer than ${this.#maxLength} characters`);
    }
  }
}

/** What LiquidJS itself makes of a value it prints. */
export function toText(value: unknown): string {
  const plain: unknown = toValue(value);
  if (typeof plain === 'string') return plain;
  if (plain === undefined || plain === null) return '';
  return Array.isArray(plain) ? plain.map(toText).join('') : String(plain);
}
