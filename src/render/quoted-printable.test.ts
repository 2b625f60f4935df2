import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeQuotedPrintable } from './quoted-printable.ts';
import { decodeQuotedPrintable, findWireProblems } from './sample-message.ts';

test('a piece begins and ends at the start of a line', () => {
  expect(encodeQuotedPrintable('')).toBe('');
  expect(encodeQuotedPrintable('Ada')).toBe('Ada=\r\n');
  expect(encodeQuotedPrintable('Ada\n')).toBe('Ada\r\n');
  expect(encodeQuotedPrintable('\n')).toBe('\r\n');
});

test('line ends of every kind become CRLF', () => {
  expect(encodeQuotedPrintable('a\nb\r\nc\rd\n')).toBe('a\r\nb\r\nc\r\nd\r\n');
});

test('what a mail system might change is encoded', () => {
  expect(encodeQuotedPrintable('1=1')).toBe('1=3D1=\r\n');
  expect(encodeQuotedPrintable('a \nb\t\n ')).toBe('a=20\r\nb=09\r\n =\r\n');
  expect(encodeQuotedPrintable('.\n..\n')).toBe('=2E\r\n=2E.\r\n');
  expect(encodeQuotedPrintable('€😀\ud800')).toBe('=E2=82=AC=F0=9F=98=80=EF=BF=BD=\r\n');
});

test('NUL and other controls are dropped, tabs stay', () => {
  expect(encodeQuotedPrintable('a\0b\x07c\x7fd\te')).toBe('abcd\te=\r\n');
});

test('a soft break that would put a dot at the beginning of a line encodes it', () => {
  expect(encodeQuotedPrintable(`${'x'.repeat(75)}.`)).toBe(`${'x'.repeat(75)}=\r\n=2E=\r\n`);
});

test('any pieces, in any order, decode to their texts in that order', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc
      .array(fc.constantFrom('.', ' ', '\n', '=', 'ä', 'x'.repeat(37)), { maxLength: 20 })
      .map((words) => words.join('')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const encoded = pieces.map(encodeQuotedPrintable).join('');
      expect(findWireProblems(`\r\n\r\n${encoded}`)).toEqual([]);
      expect(decodeQuotedPrintable(encoded)).toBe(pieces.map(normalise).join(''));
    }),
    { numRuns: 2000 },
  );
});

function normalise(text: string): string {
  const kept = [...text]
    .filter((character) => /[\t\n\r]|[^\p{Cc}]|[\u0080-\u009f]/u.test(character))
    .join('');
  return kept.replace(/\r\n?|\n/g, '\r\n');
}
