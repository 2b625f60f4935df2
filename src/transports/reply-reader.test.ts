import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RawReply, ReplyReader } from './reply-reader.ts';

function readAll(bytes: Buffer, cuts: readonly number[]): readonly RawReply[] {
  const reader = new ReplyReader();
  const edges = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  return edges.slice(1).flatMap((to, i) => reader.read(bytes.subarray(edges[i], to)) ?? []);
}

const text = fc.constantFrom('', ' OK', ' 2.1.0 Sender ok', ' queued as ä€🛒', ' 250 250-');
const replies = fc.array(
  fc.record({
    code: fc.integer({ min: 200, max: 599 }),
    texts: fc.array(text, { minLength: 1, maxLength: 4 }),
  }),
  { maxLength: 6 },
);

it('reads the same replies however their bytes are cut', () => {
  fc.assert(
    fc.property(
      replies,
      fc.constantFrom('\r\n', '\n'),
      fc.array(fc.nat({ max: 400 })),
      (said, lineEnd, cuts) => {
        const expected = said.map(({ code, texts }) => {
          const lines = texts.map((text, i) => (i < texts.length - 1 ? `${code}-${text}` : `${code}${text}`));
          return { code, raw: lines.join('\n') };
        });
        const bytes = Buffer.from(
          expected.map(({ raw }) => `${raw.replaceAll('\n', lineEnd)}${lineEnd}`).join(''),
        );
        expect(readAll(bytes, cuts)).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

it('never throws, whatever comes', () => {
  const bytes = fc.array(fc.constantFrom('2', '5', '0', '-', ' ', '\r', '\n', '\0', 'é'), { maxLength: 60 });
  fc.assert(
    fc.property(bytes, fc.array(fc.nat({ max: 60 })), (atoms, cuts) => {
      for (const { code } of readAll(Buffer.from(atoms.join('')), cuts)) {
        expect(code === 0 || (code >= 200 && code < 600)).toBe(true);
      }
    }),
  );
});

describe('what is no reply', () => {
  it.each(['hello', '25', '2 fine', '250OK', '150 No', '600 No', '250-one\n550 two', '250-one\nfine'])(
    'is given no code: %j',
    (raw) => {
      expect(readAll(Buffer.from(`${raw}\r\n`), [])).toMatchObject([{ code: 0 }]);
    },
  );
});

it('passes over empty lines between replies', () => {
  expect(readAll(Buffer.from('\r\n250 OK\r\n \r\n354 Go\r\n'), [])).toEqual([
    { code: 250, raw: '250 OK' },
    { code: 354, raw: '354 Go' },
  ]);
});

it('knows what was said of a reply that is not complete', () => {
  const reader = new ReplyReader();
  expect(reader.isInReply).toBe(false);
  reader.read(Buffer.from('250 OK\r\n550-5.1.1 No\r\n55'));
  expect([reader.isInReply, reader.begun]).toEqual([true, '550-5.1.1 No\n55']);
});

it('reads text that is not UTF-8 byte for byte', () => {
  expect(readAll(Buffer.from('250 Zo\xeb\r\n', 'latin1'), [])).toEqual([{ code: 250, raw: '250 Zoë' }]);
});

it.each([
  ['a line', 'x'.repeat(1000)],
  ['a reply of many lines', '250-x\r\n'.repeat(100)],
])('gives %s up that has no end', (_, piece) => {
  const reader = new ReplyReader();
  const chunk = Buffer.from(piece);
  let bytes = 0;
  while (reader.read(chunk)) bytes += chunk.length;
  expect(bytes).toBeLessThanOrEqual(100_000);
});
