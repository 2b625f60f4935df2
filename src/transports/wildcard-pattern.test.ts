import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wildcardPattern } from './wildcard-pattern.ts';

it.each([
  ['too many', 'Sorry, TOO MANY messages', true],
  ['too*messages', 'sorry, too many messages today', true],
  ['messages*too', 'too many messages', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['.', 'no dot', false],
  ['(', 'a ( b', true],
  ['*', '', true],
])('%s in "%s": %s', (source, text, expected) => {
  expect(wildcardPattern(source, 'contains').test(text)).toBe(expected);
});

it.each([
  ['5.7.*', '5.7.26', true],
  ['5.7.*', '15.7.26', false],
  ['5.7.1', '5.7.10', false],
  ['*.7.1', '4.7.1', true],
  ['4.*.1', '4.7.1', true],
  ['4.7.1*1', '4.7.1', false],
])('%s as the whole of %s: %s', (source, text, expected) => {
  expect(wildcardPattern(source, 'whole').test(text)).toBe(expected);
});

it('agrees with the regular expression it stands for', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 14 });
  const sources = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 7 });
  fc.assert(
    fc.property(sources, texts, (source, text) => {
      const expression = source.replaceAll('*', '.*');
      expect(wildcardPattern(source, 'contains').test(text)).toBe(new RegExp(expression).test(text));
      expect(wildcardPattern(source, 'whole').test(text)).toBe(new RegExp(`^${expression}$`).test(text));
    }),
    { numRuns: 500 },
  );
});

it('answers hostile patterns over hostile text at once', () => {
  const pattern = wildcardPattern(`${'a*'.repeat(100)}b`, 'contains');
  const started = performance.now();
  expect(pattern.test('a'.repeat(10_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(50);
});
