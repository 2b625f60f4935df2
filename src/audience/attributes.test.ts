import { expect, test } from 'vitest';
import { findAttributeProblem, mergeAttributes } from './attributes.ts';

const nest = (depth: number): object => (depth === 0 ? {} : { a: nest(depth - 1) });

test.each([
  ['empty', {}],
  [
    'every kind of value',
    { s: 'x', n: -1.5, b: true, z: null, l: ['a', 1, { k: null }], o: { 'a-b_1': 'x' } },
  ],
  ['five levels', { a: nest(4) }],
  ['400 attributes', Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`a${i}`, i]))],
  ['names of Object.prototype', { constructor: 1, toString: 2 }],
])('attributes may be %s', (_name, attributes) => {
  expect(findAttributeProblem(attributes)).toBeUndefined();
});

test.each([
  ['a name with a space', { 'a b': 1 }, ['a b']],
  ['an empty name', { '': 1 }, ['']],
  ['a name that begins with a digit', { '1a': 1 }, ['1a']],
  ['a bad name inside', { a: [{ 'b.c': 1 }] }, ['a', 0, 'b.c']],
  ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), ['a', '__proto__']],
  ['a field of the profile', { email: 'x@example.com' }, ['email']],
  ['six levels', { a: nest(5) }, ['a', 'a', 'a', 'a', 'a', 'a']],
  ['Infinity', { a: Number.POSITIVE_INFINITY }, ['a']],
  ['half a surrogate pair', { a: '\udc00' }, ['a']],
  ['401 attributes', Object.fromEntries(Array.from({ length: 401 }, (_, i) => [`a${i}`, i])), []],
  ['more than 100 KB', { a: 'ä'.repeat(52_000) }, []],
])('attributes may not have %s', (_name, attributes, path) => {
  expect(findAttributeProblem(attributes)).toMatchObject({ path });
});

test('merging replaces, adds and clears, and takes the nulls out of what is new', () => {
  const merged = mergeAttributes(
    { keep: 1, drop: 2, deep: { a: 1, b: 2 }, list: [1, 2], text: 'x' },
    { drop: null, deep: { b: null, c: { d: null } }, list: [null], text: { e: 1, f: null }, absent: null },
  );
  expect(merged).toEqual({ keep: 1, deep: { a: 1, c: {} }, list: [null], text: { e: 1 } });
});
