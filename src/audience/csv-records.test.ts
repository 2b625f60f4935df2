import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCsvCutter } from './csv-records.ts';

function cut(text: string) {
  const cutter = createCsvCutter(',');
  return [...cutter.push(text.split('\n')), ...cutter.end()];
}

const field = fc.string({ unit: fc.constantFrom('a', 'ä', ' ', ',', '"', '\n', '😀'), maxLength: 6 });
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
const write = (text: string) => (/[",\n]/.test(text) || text.trim() === '' ? quote(text) : text);

test('whatever is written by the rules is read as csv-parse reads it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), (rows) => {
      const text = rows.map((row) => row.map(write).join(',')).join('\n');
      const records = cut(text);
      const expected = parse(text, { relax_column_count: true, record_delimiter: '\n' });
      expect(records.map((record) => ('fields' in record ? record.fields : record.problem))).toEqual(
        expected,
      );
    }),
  );
});

test('in a file with broken quotes every line without quotes, before any quote or after the last, is read', () => {
  const line = fc.string({ unit: fc.constantFrom('a', ',', '"'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const records = cut(lines.join('\n'));
      const starts = new Set(records.map((record) => record.line));
      const firstQuote = lines.findIndex((text) => text.includes('"'));
      const plainBefore = firstQuote < 0 ? lines.length : firstQuote;
      for (let i = 0; i < plainBefore; i++) expect(starts.has(i + 1)).toBe(true);
      expect([...records].sort((a, b) => a.line - b.line)).toEqual(records);
    }),
  );
});
