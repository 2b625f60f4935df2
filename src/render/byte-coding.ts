/** Numbers, texts and bytes in a buffer of known size, and back. A varint has seven bits a byte, the lowest first. */

export function varintCost(value: number): number {
  let cost = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) cost++;
  return cost;
}

/** Of that many bytes with their length before them. */
export function byteCost(length: number): number {
  return varintCost(length) + length;
}

export class ByteWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#buffer[this.#at++] = value;
  }

  uint32(value: number): void {
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  raw(bytes: Buffer): void {
    this.#at += bytes.copy(this.#buffer, this.#at);
  }

  bytes(bytes: Buffer): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.varint(Buffer.byteLength(text, 'utf8'));
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  /** Throws when the size given doesn't fit what was written. */
  finish(): Buffer {
    if (this.#at !== this.#buffer.length)
      throw new RangeError(`wrote ${this.#at} of ${this.#buffer.length} bytes`);
    return this.#buffer;
  }
}

export class ByteReader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, offset: number) {
    this.#buffer = buffer;
    this.#at = offset;
  }

  byte(): number {
    const value = this.#buffer[this.#at++];
    if (value === undefined) throw truncated();
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 42; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number has more than seven bytes');
  }

  /** How many things follow, each of at least one byte. */
  count(): number {
    const count = this.varint();
    if (count > this.#buffer.length - this.#at) throw truncated();
    return count;
  }

  /** A view, not a copy. */
  raw(length: number): Buffer {
    const from = this.#at;
    this.advance(length);
    return this.#buffer.subarray(from, this.#at);
  }

  advance(length: number): void {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw truncated();
    this.#at = end;
  }

  get position(): number {
    return this.#at;
  }

  bytes(): Buffer {
    return this.raw(this.varint());
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  expectEnd(): void {
    if (this.#at !== this.#buffer.length) {
      throw new RangeError(`${this.#buffer.length - this.#at} bytes after the end`);
    }
  }
}

function truncated(): RangeError {
  return new RangeError('truncated: a length points beyond the end');
}
