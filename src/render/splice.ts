/**
 * The whole message from what is shared and what is the recipient's own. Nothing is copied: the buffers are the segments and parts
 * themselves.
 */
import { betweenBytes, endOfData, toDataLines } from './data-lines.ts';
import type { CompiledMessage, RenderedMessage } from './message.ts';

/** The message's bytes in order, without the final dot. Throws RangeError when the two don't belong together. */
export function messageBuffers(compiled: CompiledMessage, rendered: RenderedMessage): Buffer[] {
  const { segments } = compiled;
  return rendered.parts.map((part) => (typeof part === 'number' ? segmentAt(segments, part) : part));
}

/** The same with lines as DATA wants them, dots doubled, and the final dot: what goes over the wire after the 354. */
export function wireBuffers(compiled: CompiledMessage, rendered: RenderedMessage): Buffer[] {
  const segments = segmentLines(compiled);
  const buffers: Buffer[] = [];
  let last: number | undefined;
  for (const part of rendered.parts) {
    const lines = typeof part === 'number' ? segmentAt(segments, part) : toDataLines(part);
    if (lines.length === 0) continue;
    const between = betweenBytes(last, lines[0] as number);
    if (between.length > 0) buffers.push(between);
    buffers.push(lines);
    last = lines[lines.length - 1];
  }
  buffers.push(endOfData(last));
  return buffers;
}

/** Octets without doubled dots and without the final one: what the SIZE extension (RFC 1870) asks for. */
export function messageSize(compiled: CompiledMessage, rendered: RenderedMessage): number {
  let size = 0;
  for (const part of rendered.parts) {
    size += typeof part === 'number' ? segmentAt(compiled.segments, part).length : part.length;
  }
  return size;
}

/** Of the compiled messages in use: as long as these live, and no longer. */
const knownLines = new WeakMap<CompiledMessage, readonly Buffer[]>();

function segmentLines(compiled: CompiledMessage): readonly Buffer[] {
  const known = knownLines.get(compiled);
  if (known) return known;
  const lines = compiled.segments.map(toDataLines);
  knownLines.set(compiled, lines);
  return lines;
}

function segmentAt(segments: readonly Buffer[], number: number): Buffer {
  const segment = segments[number];
  if (!segment) throw new RangeError(`rendered message names segment ${number} of ${segments.length}`);
  return segment;
}
