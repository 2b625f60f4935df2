/**
 * What a DKIM signature is computed over: header fields `relaxed`, the body `simple` (RFC 6376, 3.4). Pure.
 *
 * A message comes as the buffers that are written to the wire, before any dot is doubled, and is not joined: only its header, about a kilobyte,
 * becomes text. Octets are characters here (latin1), so that what is not ASCII comes through as it is.
 */
import { createHash } from 'node:crypto';

export interface HeaderField {
  /** Lower case. */
  readonly name: string;
  /** With its line end. */
  readonly canonical: string;
}

export interface SplitMessage {
  /** In their order. */
  readonly fields: readonly HeaderField[];
  readonly body: readonly Buffer[];
}

/** The empty line between header and body belongs to neither. A message without one has no body. */
export function splitMessage(buffers: readonly Buffer[]): SplitMessage {
  let before = '';
  for (const [i, buffer] of buffers.entries()) {
    const end = findEndOfHeader(before, buffer);
    if (end >= 0) {
      const header = [...buffers.slice(0, i), buffer.subarray(0, end)];
      return { fields: readFields(header), body: [buffer.subarray(end), ...buffers.slice(i + 1)] };
    }
    before = (before + buffer.subarray(-3).toString('latin1')).slice(-3);
  }
  return { fields: readFields(buffers), body: [] };
}

/** RFC 6376, 3.4.2: unfolded, runs of white space become one space, none at either end or around the colon. */
export function relaxField(name: string, value: string): string {
  // Not `trim`: it would take 0xA0, the second octet of many a letter in UTF-8, for a space.
  const relaxed = value
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name.toLowerCase()}:${relaxed}`;
}

/** Base64 of SHA-256. RFC 6376, 3.4.3: empty lines at the end don't count, and the last line has an end, even if there is none at all. */
export function hashBody(body: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const buffer of withoutLineEnds(body)) hash.update(buffer);
  return hash.update('\r\n').digest('base64');
}

const emptyLine = '\r\n\r\n';

/** Where the body begins in this buffer, or -1. The empty line may have begun in the three octets before it. */
function findEndOfHeader(before: string, buffer: Buffer): number {
  const seam = (before + buffer.subarray(0, 3).toString('latin1')).indexOf(emptyLine);
  if (seam >= 0) return seam + emptyLine.length - before.length;
  const at = buffer.indexOf(emptyLine);
  return at < 0 ? -1 : at + emptyLine.length;
}

function readFields(header: readonly Buffer[]): readonly HeaderField[] {
  const lines = Buffer.concat(header)
    .toString('latin1')
    .split(/\r\n(?![ \t])/);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) return [];
    const name = line.slice(0, colon).replace(/[ \t]+$/, '');
    return { name: name.toLowerCase(), canonical: `${relaxField(name, line.slice(colon + 1))}\r\n` };
  });
}

const lf = 0x0a;
const cr = 0x0d;

function withoutLineEnds(body: readonly Buffer[]): readonly Buffer[] {
  const kept = body.filter((buffer) => buffer.length > 0);
  while (endsLine(kept)) {
    dropOctet(kept);
    dropOctet(kept);
  }
  return kept;
}

function endsLine(buffers: readonly Buffer[]): boolean {
  const last = buffers.at(-1);
  if (last?.at(-1) !== lf) return false;
  return (last.length > 1 ? last.at(-2) : buffers.at(-2)?.at(-1)) === cr;
}

function dropOctet(buffers: Buffer[]): void {
  const last = buffers.pop();
  if (last && last.length > 1) buffers.push(last.subarray(0, -1));
}
