/**
 * The whole message from what is shared and what is the recipient's own. Nothing is copied: the buffers are written to
 * the wire as they are, or handed to `writev`.
 */
import type { CompiledMessage, RenderedMessage } from './message.ts';

/** The message's bytes in order, without the final dot. Throws RangeError when the two don't belong together. */
export function messageBuffers(compiled: CompiledMessage, rendered: RenderedMessage): Buffer[] {
  const { segments } = compiled;
  return rendered.parts.map((part) => (typeof part === 'number' ? segmentAt(segments, part) : part));
}

/** Octets on the wire, without the final dot: what the SIZE extension (RFC 1870) asks for. */
export function messageSize(compiled: CompiledMessage, rendered: RenderedMessage): number {
  let size = 0;
  for (const part of rendered.parts) {
    size += typeof part === 'number' ? segmentAt(compiled.segments, part).length : part.length;
  }
  return size;
}

function segmentAt(segments: readonly Buffer[], number: number): Buffer {
  const segment = segments[number];
  if (!segment) throw new RangeError(`rendered message names segment ${number} of ${segments.length}`);
  return segment;
}
