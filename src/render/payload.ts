/**
 * What crosses Redis between render and send, in bytes. Both values begin alike:
 *
 *   3 bytes magic (`SlR` rendered, `SlS` segments), 1 byte version, 4 bytes total size, 32 bytes digest, varint count
 *
 * A rendered message: varint seq, 1 byte flags (1 = needs SMTPUTF8), varint length + To, varint length + return path,
 * varint count of parts; a part: varint `number * 2`, or varint `length * 2 + 1` and the bytes. A segment: varint length
 * and bytes. Decoding copies nothing: buffers are views into the value. Foreign, truncated or newer values throw
 * RangeError, and at once, though a message is decoded only when it is asked for; the caller renders anew.
 */
import { ByteReader, ByteWriter, byteCost, varintCost } from './byte-coding.ts';
import { digestSegments } from './compile.ts';
import type { CompiledMessage, MessagePart, RenderedMessage, RenderedMessages } from './message.ts';

export interface RenderedGrant {
  /** Of the compiled message whose segments the messages name. */
  readonly digest: string;
  readonly messages: RenderedMessages;
}

export function encodeRendered(digest: string, messages: readonly RenderedMessage[]): Buffer {
  const size = messages.reduce((sum, message) => sum + encodedSize(message), headSize(messages.length));
  const writer = startValue(renderedMagic, size, digest, messages.length);
  for (const message of messages) writeMessage(writer, message);
  return writer.finish();
}

/** Bytes that one message adds to a grant's value: for splitting a grant before it outgrows its bound (DESIGN 4a). */
export function encodedSize({ seq, to, returnPath, parts }: RenderedMessage): number {
  let size = varintCost(seq) + 1 + textCost(to) + textCost(returnPath) + varintCost(parts.length);
  for (const part of parts) {
    size += typeof part === 'number' ? varintCost(part * 2) : varintCost(part.length * 2 + 1) + part.length;
  }
  return size;
}

export function decodeRendered(value: Buffer): RenderedGrant {
  const { reader, digest, count } = openValue(renderedMagic, value);
  const offsets = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    offsets[i] = reader.position;
    skipMessage(reader);
  }
  reader.expectEnd();
  return { digest, messages: new EncodedMessages(value, offsets) };
}

/** Of a value whose lengths have been checked. A worker holds thousands of messages: decoded, each would be dozens of objects for as long as it waits. */
class EncodedMessages implements RenderedMessages {
  readonly #value: Buffer;
  readonly #offsets: Uint32Array;

  constructor(value: Buffer, offsets: Uint32Array) {
    this.#value = value;
    this.#offsets = offsets;
  }

  get length(): number {
    return this.#offsets.length;
  }

  at(index: number): RenderedMessage | undefined {
    const offset = this.#offsets.at(index);
    return offset === undefined ? undefined : readMessage(new ByteReader(this.#value, offset));
  }
}

export function encodeSegments({ digest, segments }: CompiledMessage): Buffer {
  const size = segments.reduce((sum, segment) => sum + byteCost(segment.length), headSize(segments.length));
  const writer = startValue(segmentsMagic, size, digest, segments.length);
  for (const segment of segments) writer.bytes(segment);
  return writer.finish();
}

/** Throws RangeError also when the segments are not those the digest names. */
export function decodeSegments(value: Buffer): CompiledMessage {
  const { reader, digest, count } = openValue(segmentsMagic, value);
  const segments = Array.from({ length: count }, () => reader.bytes());
  reader.expectEnd();
  if (digestSegments(segments) !== digest) throw new RangeError('segments do not match their digest');
  return { digest, segments };
}

const renderedMagic = 'SlR';
const segmentsMagic = 'SlS';
/** A release that writes another form raises it; it goes on reading the one before (docs/upgrades.md). */
export const payloadVersion = 1;
const digestBytes = 32;
const fixedHead = 3 + 1 + 4 + digestBytes;
const needsSmtpUtf8Flag = 1;

function headSize(count: number): number {
  return fixedHead + varintCost(count);
}

function textCost(text: string): number {
  return byteCost(Buffer.byteLength(text, 'utf8'));
}

function startValue(magic: string, size: number, digest: string, count: number): ByteWriter {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError('a digest has 64 hexadecimal digits');
  const writer = new ByteWriter(size);
  writer.raw(Buffer.from(magic, 'latin1'));
  writer.byte(payloadVersion);
  writer.uint32(size);
  writer.raw(Buffer.from(digest, 'hex'));
  writer.varint(count);
  return writer;
}

function openValue(magic: string, value: Buffer): { reader: ByteReader; digest: string; count: number } {
  if (value.length < fixedHead || value.toString('latin1', 0, 3) !== magic) {
    throw new RangeError(`not a ${magic} value of ${value.length} bytes`);
  }
  if (value[3] !== payloadVersion)
    throw new RangeError(`${magic} version ${value[3]}, this release reads ${payloadVersion}`);
  const size = value.readUInt32BE(4);
  if (size !== value.length)
    throw new RangeError(`${magic} value of ${value.length} bytes says it has ${size}`);
  const reader = new ByteReader(value, fixedHead);
  // Each entry takes a byte or more: a count beyond that is not worth allocating for.
  const count = reader.count();
  return { reader, digest: value.subarray(8, fixedHead).toString('hex'), count };
}

function writeMessage(writer: ByteWriter, message: RenderedMessage): void {
  writer.varint(message.seq);
  writer.byte(message.needsSmtpUtf8 ? needsSmtpUtf8Flag : 0);
  writer.text(message.to);
  writer.text(message.returnPath);
  writer.varint(message.parts.length);
  for (const part of message.parts) {
    if (typeof part === 'number') writer.varint(part * 2);
    else {
      writer.varint(part.length * 2 + 1);
      writer.raw(part);
    }
  }
}

/** All that `readMessage` could stumble over. */
function skipMessage(reader: ByteReader): void {
  reader.varint();
  reader.byte();
  reader.advance(reader.varint());
  reader.advance(reader.varint());
  for (let left = reader.count(); left > 0; left--) {
    const head = reader.varint();
    if (head % 2 === 1) reader.advance((head - 1) / 2);
  }
}

function readMessage(reader: ByteReader): RenderedMessage {
  const seq = reader.varint();
  const flags = reader.byte();
  const to = reader.text();
  const returnPath = reader.text();
  const parts = new Array<MessagePart>(reader.count());
  for (let i = 0; i < parts.length; i++) {
    const head = reader.varint();
    parts[i] = head % 2 === 0 ? head / 2 : reader.raw((head - 1) / 2);
  }
  return { seq, to, returnPath, needsSmtpUtf8: (flags & needsSmtpUtf8Flag) !== 0, parts };
}
