import { expect, test } from 'vitest';
import { assertIfMatch, formatEtag, readIfMatch } from './etag.ts';

test('the tag that was given out allows the update of that version only', () => {
  const headers = { 'if-match': formatEtag(7) };
  expect(() => assertIfMatch(headers, 7)).not.toThrow();
  expect(() => assertIfMatch(headers, 8)).toThrow(expect.objectContaining({ code: 'precondition_failed' }));
});

test('a list of tags and a star are understood; weak and foreign tags match nothing', () => {
  expect(readIfMatch({ 'if-match': '"v1", "v2"' })).toEqual([1, 2]);
  expect(readIfMatch({ 'if-match': '*' })).toBe('any');
  expect(readIfMatch({ 'if-match': 'W/"v1", "abc", v3' })).toEqual([]);
});

test('an update without If-Match is refused', () => {
  expect(() => readIfMatch({})).toThrow(expect.objectContaining({ code: 'precondition_required' }));
});
