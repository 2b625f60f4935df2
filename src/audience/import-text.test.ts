import { expect, test } from 'vitest';
import { pieceBytes, readText } from './import-text.ts';

async function read(...blocks: Buffer[]): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of readText(toAsync(blocks))) pieces.push(piece);
  return pieces;
}

async function* toAsync(blocks: readonly Buffer[]) {
  yield* blocks;
}

test('a block comes in pieces whose parsing holds nobody up, and nothing is lost at their seams', async () => {
  const text = '€'.repeat(100_000);
  const pieces = await read(Buffer.from(text));
  expect(pieces.join('')).toBe(text);
  for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(pieceBytes / 3 + 1);
});

test('a character cut by two blocks is whole', async () => {
  const bytes = Buffer.from('a😀b');
  for (let at = 1; at < bytes.length; at++) {
    expect((await read(bytes.subarray(0, at), bytes.subarray(at))).join('')).toBe('a😀b');
  }
});

test('the byte order mark goes, other bytes that are not UTF-8 stay to be seen', async () => {
  expect((await read(Buffer.from('\ufeffemail'))).join('')).toBe('email');
  expect((await read(Buffer.from([0x61, 0xe9, 0x62, 0xe2, 0x82]))).join('')).toBe('a\ufffdb\ufffd');
});

test.each(['utf16le', 'utf16be'])('%s is said to be what it is', async (encoding) => {
  const bytes = Buffer.from('\ufeffemail', 'utf16le');
  await expect(read(encoding === 'utf16le' ? bytes : bytes.swap16())).rejects.toThrow('UTF-16');
});
