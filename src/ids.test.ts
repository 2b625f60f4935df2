import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeNumber, encodeNumber, formatId, type IdKind, newId, parseId, prefixes } from './ids.ts';

const kinds = Object.keys(prefixes) as IdKind[];

test('an id survives the way out and back, and is of its kind only', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.constantFrom(...kinds), fc.maxSafeNat(), (kind, other, id) => {
      expect(parseId(kind, formatId(kind, id))).toBe(id);
      if (other !== kind) expect(parseId(other, formatId(kind, id))).toBeUndefined();
    }),
  );
});

test('prefixes tell the kinds apart', () => {
  expect(new Set(Object.values(prefixes)).size).toBe(kinds.length);
});

test('ids sort by the time they were made, and stay within what JavaScript holds', () => {
  const at = (iso: string) => newId('campaign', Date.parse(iso));
  expect(
    formatId('campaign', at('2025-01-01T00:00:00Z')) < formatId('campaign', at('2025-01-01T00:00:01Z')),
  ).toBe(true);
  expect(Number.isSafeInteger(at('2150-01-01T00:00:00Z'))).toBe(true);
});

test('numbers that are too large, foreign letters and other lengths are no ids', () => {
  for (const text of [
    '',
    'cmp_',
    'cmp_0000000000',
    'cmp_000000000000',
    'cmp_zzzzzzzzzzz',
    'cmp_0000000000u',
    'CMP_00000000000',
  ])
    expect(parseId('campaign', text), text).toBeUndefined();
});

test('numbers are written in the width that was asked for', () => {
  fc.assert(
    fc.property(fc.nat(32 ** 5 - 1), (n) => {
      expect(decodeNumber(encodeNumber(n, 5))).toBe(n);
    }),
  );
  expect(encodeNumber(0, 3)).toBe('000');
});
