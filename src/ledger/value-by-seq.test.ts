import { expect, test } from 'vitest';
import { valueBySeq } from './value-by-seq.ts';

test('one value for all rows is one placeholder', () => {
  const rows = [3, 5, 9].map((seq) => ({ seq, code: 250 }));
  expect(valueBySeq(rows, (row) => row.code)).toEqual({ sql: '?', values: [250] });
  expect(valueBySeq(rows, () => null)).toEqual({ sql: '?', values: [null] });
});

test('different values are chosen by the row', () => {
  const rows = [
    { seq: 3, reason: 'full' },
    { seq: 5, reason: null },
  ];
  expect(valueBySeq(rows, (row) => row.reason, 'd.seq')).toEqual({
    sql: 'CASE d.seq WHEN ? THEN ? WHEN ? THEN ? END',
    values: [3, 'full', 5, null],
  });
});
