import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyScanner, unstuff } from './body-scanner.ts';

/** What a client puts on the wire for a message: dots doubled at line starts, and the terminator. */
function stuff(message: string): Buffer {
  return Buffer.from(`${message.replace(/^\./, '..').replaceAll('\r\n.', '\r\n..')}.\r\n`);
}

function scanInPieces(wire: Buffer, cuts: readonly number[]): { scanner: BodyScanner; consumed: number } {
  const scanner = new BodyScanner();
  const edges = [...cuts, wire.length].sort((one, other) => one - other);
  let from = 0;
  for (const edge of edges) {
    const end = scanner.scan(wire.subarray(from, edge));
    if (end !== -1) return { scanner, consumed: from + end };
    from = edge;
  }
  return { scanner, consumed: -1 };
}

describe('a body on the wire', () => {
  test.each([
    ['an empty message', ''],
    ['one line', 'hello\r\n'],
    ['dots at line starts', '.one\r\n..two\r\n.\r\nthree\r\n'],
    ['a lone CR before the end', 'a\r\r\n'],
    ['bare line feeds around a dot', 'a\n.\nb\r\n'],
    ['a bare CR around a dot', 'a\r.\rb\r\n'],
    ["an LF in place of the terminator's first CRLF", 'a\n.\r\nb\r\n'],
  ])('ends at its terminator wherever TCP cuts it: %s', (_, message) => {
    const wire = stuff(message);
    const withNext = Buffer.concat([wire, Buffer.from('QUIT\r\n')]);
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        const { scanner, consumed } = scanInPieces(withNext, [first, second]);
        expect([consumed, scanner.size], `cut at ${first} and ${second}`).toEqual([
          wire.length,
          message.length,
        ]);
      }
    }
    expect(unstuff(wire).toString()).toBe(message);
  });

  test('is found and measured for any mix of dots and line ends', () => {
    const text = fc.array(fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', 'x'), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 5 }), (parts, cuts) => {
        const message = `${parts.join('')}\r\n`;
        const wire = stuff(message);
        const { scanner, consumed } = scanInPieces(
          wire,
          cuts.map((cut) => Math.min(cut, wire.length)),
        );
        expect(consumed).toBe(wire.length);
        expect(scanner.size).toBe(message.length);
        expect(unstuff(wire).toString()).toBe(message);
      }),
    );
  });

  test('goes on while no terminator has come', () => {
    expect(scanInPieces(Buffer.from('hello\r\n.'), [3]).consumed).toBe(-1);
    expect(scanInPieces(Buffer.from('hello\n.\n'), []).consumed).toBe(-1);
  });
});
