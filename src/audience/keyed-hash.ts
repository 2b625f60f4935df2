/**
 * HMAC-SHA-256 (RFC 2104) by two one-shot hashes. `createHmac` makes an object with a handle of its own for every text: of an
 * import's time per row that was the largest part.
 */
import { createHash, hash } from 'node:crypto';

/** Of text, as UTF-8. Hex. */
export function hashKeyed(key: Buffer, text: string): string {
  return hash('sha256', hashInner(findPads(key), text, 'utf8'));
}

/** The 32 bytes as a character each: a buffer for them would cost more than hashing. */
export function digestKeyed(key: Buffer, text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return hash('sha256', hashInner(findPads(key), text, encoding), 'binary');
}

/** What is left to be hashed. */
function hashInner(pads: Pads, text: string, encoding: 'utf8' | 'latin1'): Buffer {
  const inner = roomFor(pads, text);
  const length = inner.write(text, blockBytes, encoding);
  pads.outer.write(hash('sha256', inner.subarray(0, blockBytes + length), 'binary'), blockBytes, 'latin1');
  return pads.outer;
}

const blockBytes = 64;
const digestBytes = 32;
/** Most that a UTF-16 unit takes in UTF-8. */
const bytesPerUnit = 3;

/** The padded keys, each with room behind it for what is hashed after it. Hashing is synchronous: one room is enough. */
interface Pads {
  inner: Buffer;
  readonly outer: Buffer;
}

const padsOf = new WeakMap<Buffer, Pads>();

function findPads(key: Buffer): Pads {
  const known = padsOf.get(key);
  if (known) return known;
  const block = key.length > blockBytes ? createHash('sha256').update(key).digest() : key;
  const pads = { inner: pad(block, 0x36, 512), outer: pad(block, 0x5c, digestBytes) };
  padsOf.set(key, pads);
  return pads;
}

function pad(key: Buffer, byte: number, room: number): Buffer {
  const padded = Buffer.alloc(blockBytes + room);
  for (let i = 0; i < blockBytes; i++) padded[i] = (key[i] ?? 0) ^ byte;
  return padded;
}

function roomFor(pads: Pads, text: string): Buffer {
  const needed = blockBytes + text.length * bytesPerUnit;
  if (pads.inner.length < needed) {
    pads.inner = Buffer.concat([pads.inner.subarray(0, blockBytes)], needed);
  }
  return pads.inner;
}
