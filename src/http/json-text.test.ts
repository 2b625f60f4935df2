import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonError } from './json-error.ts';
import { parseJsonText } from './json-text.ts';

const parse = (text: string) => parseJsonText(Buffer.from(text));
const errorOf = (text: string | Buffer) => {
  try {
    parseJsonText(Buffer.from(text as string));
  } catch (error) {
    return error as { code: string; detail: string };
  }
  throw new Error('it was accepted');
};

test('valid JSON is read, with or without a byte order mark', () => {
  expect(parse('\ufeff{"a":[1,"\\u00e9",null]}')).toEqual({ a: [1, 'é', null] });
});

test('a name that schemas would drop in silence is refused, and the same text as a value is not', () => {
  expect(errorOf('{"a":{"__proto__" : {"x":1}}}')).toMatchObject({ code: 'invalid_request' });
  const value = { a: '"__proto__":', constructor: { prototype: 1 } };
  expect(parse(JSON.stringify(value))).toEqual(value);
});

test.each([
  ['', 'Position 0 (line 1, column 1): the end where value is expected'],
  ['{"a":1,}', 'Position 7 (line 1, column 8): "}" where name is expected'],
  ['{"a" 1}', 'Position 5 (line 1, column 6): "1" where : is expected'],
  ['{\n  "a": tru\n}', 'Position 9 (line 2, column 8): "t" where value is expected'],
  ['[1 2]', 'Position 3 (line 1, column 4): "2" where , or ] is expected'],
  ['{"a":"x', 'Position 5 (line 1, column 6): "\\"" where value is expected'],
  ['{} {}', 'Position 3 (line 1, column 4): "{" where nothing more is expected'],
  ['{"a":[1,2}', 'Position 9 (line 1, column 10): "}" where , or ] is expected'],
])('%j is refused with its position', (text, detail) => {
  expect(errorOf(text)).toMatchObject({ code: 'malformed_json', detail });
});

test('bytes that are not UTF-8 are refused', () => {
  expect(errorOf(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toMatchObject({ code: 'malformed_body' });
});

test('a bomb of brackets is refused before anything recurses into it', () => {
  expect(errorOf('['.repeat(100_000)).detail).toContain('deeper than 64');
  expect(parse(`"${'['.repeat(1000)}\\""`)).toBe(`${'['.repeat(1000)}"`);
});

test('a long string that never ends is refused as well', () => {
  expect(errorOf(`{"a":"${'x'.repeat(20_000_000)}`)).toMatchObject({
    detail: expect.stringContaining('Position 5 '),
  });
});

test('the scanner finds an error in every text that JSON.parse refuses, and runs to the end of the others', () => {
  const mutated = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '{', ']', ':', '0', '\\', '\n', 'e'))
    .map(
      ([text, at, insert]) =>
        text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + 1),
    );
  fc.assert(
    fc.property(mutated, (text) => {
      const reachedEnd = findJsonError(text).endsWith('the end where nothing more is expected');
      expect(reachedEnd).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
