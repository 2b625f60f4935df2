import { expect, test } from 'vitest';
import { z } from 'zod';
import { toPointer, validatePart } from './validation.ts';

const schema = z.strictObject({
  name: z.string(),
  rows: z.array(z.strictObject({ email: z.email() })).default([]),
  when: z.union([z.literal('now'), z.strictObject({ at: z.iso.datetime(), tz: z.string() })]).optional(),
});

const errorsOf = (value: unknown, part: 'body' | 'query' | 'path' = 'body') => {
  try {
    validatePart(part, schema, value);
  } catch (error) {
    return error as { code: string; errors: { pointer?: string; parameter?: string; detail: string }[] };
  }
  throw new Error('it was accepted');
};

test('all errors come at once, each with its pointer', () => {
  const { code, errors } = errorsOf({
    rows: [{ email: 'a@b.example' }, { email: 'x', 'a/b~c': 1 }],
    extra: 1,
  });
  expect(code).toBe('invalid_request');
  expect(errors.map((error) => error.pointer).sort()).toEqual([
    '/extra',
    '/name',
    '/rows/1/a~1b~0c',
    '/rows/1/email',
  ]);
  expect(errors).toContainEqual({ pointer: '/name', detail: 'is required' });
  expect(errors).toContainEqual({ pointer: '/extra', detail: 'is not a known field' });
});

test('what is no object at all is an error of the whole body', () => {
  for (const value of [null, [], 'x', 5]) expect(errorsOf(value).errors).toMatchObject([{ pointer: '' }]);
});

test('of a union, the errors of the branch that is closest are shown', () => {
  expect(errorsOf({ name: 'x', when: { at: 'soon', tz: 'UTC' } }).errors).toMatchObject([
    { pointer: '/when/at' },
  ]);
});

test('errors of the query and the path name the parameter', () => {
  expect(errorsOf({}, 'query')).toMatchObject({ code: 'invalid_query', errors: [{ parameter: 'name' }] });
  expect(errorsOf({}, 'path')).toMatchObject({ code: 'not_found', errors: [{ parameter: 'name' }] });
});

test('a pointer escapes as RFC 6901 says', () => {
  expect(toPointer(['a/b', 0, 'm~n'])).toBe('/a~1b/0/m~0n');
  expect(toPointer([])).toBe('');
});
