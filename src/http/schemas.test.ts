import { expect, test } from 'vitest';
import { formatId, newId } from '../ids.ts';
import { idOut, idParam, lineOfText, pageOf, pageQuery, timestampParam } from './schemas.ts';

test('an id that comes in is decoded to its number', () => {
  const id = newId('campaign');
  expect(idParam('campaign').parse(formatId('campaign', id))).toBe(id);
});

test.each(['', 'cmp_', 'prf_00000000001', 'cmp_0000000000i', 'cmp_zzzzzzzzzzz', "cmp_' OR 1=1"])(
  'an id of another kind or shape is refused: %j',
  (text) => {
    const result = idParam('campaign').safeParse(text);
    expect(result.success).toBe(false);
    expect(result.error?.issues.map((issue) => issue.message)).toContain('is not the id of a campaign');
  },
);

test('what goes out is what comes in', () => {
  expect(idOut('list').parse(formatId('list', 42))).toBe('lst_0000000001a');
});

test('a page has 50 items unless 1 to 200 are asked for', () => {
  expect(pageQuery.parse({})).toEqual({ page_size: 50 });
  expect(pageQuery.parse({ page_size: '200', cursor: 'abc' })).toEqual({ page_size: 200, cursor: 'abc' });
  for (const size of ['0', '201', '1.5', 'x', '', ['1', '2']]) {
    expect(pageQuery.safeParse({ page_size: size }).success).toBe(false);
  }
  expect(pageQuery.safeParse({ pagesize: '5' }).success).toBe(false);
});

test('a page of a schema checks its items', () => {
  const page = pageOf(idOut('list'));
  expect(page.safeParse({ data: ['lst_0000000001a'], next_cursor: null }).success).toBe(true);
  expect(page.safeParse({ data: ['nope'], next_cursor: null }).success).toBe(false);
});

test('a time comes in with any offset and must be one that can be stored', () => {
  expect(timestampParam.parse('2026-11-27T09:00:00+01:00')).toEqual(new Date('2026-11-27T08:00:00Z'));
  for (const text of ['2026-11-27', 'soon', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 5]) {
    expect(timestampParam.safeParse(text).success).toBe(false);
  }
});

test('a name is one line: trimmed, not empty, without control characters', () => {
  expect(lineOfText(10).parse('  Ada ')).toBe('Ada');
  for (const text of ['', '   ', 'a\r\nBcc: x', 'a\u0000', 'a\u2028b', '\ud800', 'x'.repeat(11)]) {
    expect(lineOfText(10).safeParse(text).success).toBe(false);
  }
});
