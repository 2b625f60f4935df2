import { expect, test } from 'vitest';
import type { TenantId } from '../ids.ts';
import { createCsvReader } from './csv-rows.ts';
import type { ImportRow } from './import-row.ts';

const options = { tenantId: 1 as TenantId, addressKey: Buffer.alloc(32) };

function read(pieces: readonly string[], delimiter?: ',' | ';'): ImportRow[] {
  const reader = createCsvReader({ ...options, delimiter });
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

/** Line -> the address, or what was reported. */
function summarise(rows: readonly ImportRow[]) {
  return rows.map((row) =>
    row.kind === 'profile'
      ? [row.line, row.patch.email]
      : [row.line, row.field ? `${row.field} ${row.detail}` : row.detail],
  );
}

test('columns become fields and text attributes, and empty cells are absent', () => {
  const [row] = read([
    'email,phone,time_zone,first_name,city\nada@example.com,+4915112345678,Europe/Berlin,Ada,\n',
  ]);
  expect(row).toMatchObject({
    kind: 'profile',
    line: 2,
    patch: {
      email: 'ada@example.com',
      phone: '+4915112345678',
      timeZone: 'Europe/Berlin',
      attributes: { first_name: 'Ada' },
    },
  });
});

test.each([
  ['commas', 'email,a\nx@example.com,1\n'],
  ['semicolons', 'email;a\nx@example.com;1\n'],
  ['tabs', 'email\ta\nx@example.com\t1\n'],
  ['CRLF', 'email,a\r\nx@example.com,1\r\n'],
  ['CR alone', 'email,a\rx@example.com,1\r'],
  ['no last line end', 'email,a\nx@example.com,1'],
  ['quotes everywhere', '"email","a"\n"x@example.com","1"\n'],
  ['blank lines and rows', '\n\nemail,a\n\nx@example.com,1\n,\n\n'],
  ['a header in capitals with spaces', ' EMAIL ,a\nx@example.com,1\n'],
])('reads %s', (_name, text) => {
  const rows = read([text]);
  expect(rows).toMatchObject([
    { kind: 'profile', patch: { email: 'x@example.com', attributes: { a: '1' } } },
  ]);
});

test('the delimiter that was asked for wins over the one that is found', () => {
  expect(() => read(['email,a\nx@example.com,1\n'], ';')).toThrow('Column 1 has a name');
});

test('a quoted field holds delimiters, quotes and line ends, and lines are counted as in an editor', () => {
  const rows = read(['email,note\nx@example.com,"one, ""two""\nthree\n\nfour"\ny@example.com,plain\n']);
  expect(rows).toMatchObject([
    { line: 2, patch: { attributes: { note: 'one, "two"\nthree\n\nfour' } } },
    { line: 6, patch: { email: 'y@example.com' } },
  ]);
});

test('it makes no difference where the pieces are cut', () => {
  const text = 'email,note\r\nx@example.com,"a ""b""\r\nc"\r\nbad,1\r\n"y@example.com",2\r\nz@example.com,"3';
  const whole = read([text]);
  for (let at = 1; at < text.length; at++) expect(read([text.slice(0, at), text.slice(at)])).toEqual(whole);
  expect(read([...text])).toEqual(whole);
});

test('a quote that is never closed costs its own row only', () => {
  const text = 'email,a\nx@example.com,"foo\nb@example.com,1\nc@example.com,"2"\nd@example.com,3\n';
  expect(summarise(read([text]))).toEqual([
    [2, 'has a quote that is not closed'],
    [3, 'b@example.com'],
    [4, 'c@example.com'],
    [5, 'd@example.com'],
  ]);
});

test('two rows with a broken quote each do not swallow what lies between them', () => {
  const text = 'email,a\nx"@example.com,1\nb@example.com,1\ny"@example.com,1\nd@example.com,3\n';
  expect(summarise(read([text]))).toEqual([
    [2, 'has a quote that is not closed'],
    [3, 'b@example.com'],
    [4, 'has a quote that is not closed'],
    [5, 'd@example.com'],
  ]);
});

test('misplaced quotes within a line are reported and leave their neighbours alone', () => {
  const text = 'email,a\n"b@example.com",1\nx@example.com,a"b"c\n"c@example.com","2"\n';
  expect(summarise(read([text]))).toEqual([
    [2, 'b@example.com'],
    [3, expect.stringContaining('quotes in the wrong place')],
    [4, 'c@example.com'],
  ]);
});

test('a stray quote is given up once a row is too long, long before the file is in memory', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `u${i}@example.com,1`);
  const rows = read([`email,a\nx@example.com,"oops\n${many.join('\n')}\n`]);
  expect(rows.filter((row) => row.kind === 'profile')).toHaveLength(20_000);
  expect(summarise(rows)[0]).toEqual([2, 'has a quote that is not closed']);
});

test('a line too long to hold is reported, and the next one read', () => {
  const long = `x@example.com,${'a'.repeat(300_000)}`;
  const pieces = (`email,a\n${long}\ny@example.com,1\n`.match(/[\s\S]{1,5000}/g) ?? []) as string[];
  expect(summarise(read(pieces))).toEqual([
    [2, 'is longer than 262144 characters'],
    [3, 'y@example.com'],
  ]);
});

test('rows are checked one by one', () => {
  const text = [
    'email,phone,time_zone,a',
    'not an address,,,',
    ',,,1',
    'b@example.com,0151,,',
    'c@example.com,,Middle/Earth,',
    'd@example.com,1',
    'e@example.com,,,\ufffd',
    'a@example.com\u0000,,,',
    'f@example.com,,,1',
  ].join('\n');
  expect(summarise(read([text]))).toEqual([
    [2, 'email has no domain'],
    [3, 'email is empty'],
    [4, 'phone is not a phone number in E.164: + and 7 to 15 digits'],
    [5, 'time_zone is not an IANA time zone'],
    [6, 'has 2 columns where the header has 4'],
    [7, 'a is not UTF-8'],
    [8, 'email holds a character that an address cannot have'],
    [9, 'f@example.com'],
  ]);
});

test.each([
  ['nothing', '', 'The file is empty'],
  ['blank lines', '\n \n', 'The file is empty'],
  ['no email column', 'name,city\nAda,Berlin\n', 'one of them must be "email"'],
  ['a name templates cannot reach', 'email,First Name\n', 'Column 2 has a name that templates cannot reach'],
  ['a column without a name', 'email,,a\n', 'Column 2 has no name'],
  ['a name that comes twice', 'email,a,a\n', 'Column 3 has the name of an earlier one'],
  ['an address column that comes twice', 'email,Email\n', 'Column 2 has the name of an earlier one'],
  ['__proto__', 'email,__proto__\n', 'Column 2 has a name'],
  ['a broken quote in it', 'email,"a\nx@example.com,1\n', 'has a quote that is not closed'],
  [
    'more columns than attributes',
    `email,${Array.from({ length: 401 }, (_, i) => `a${i}`)}\n`,
    'More than 400',
  ],
])('a header with %s fails the file', (_name, text, message) => {
  expect(() => read([text])).toThrow(message);
});

test('attributes of one row are bounded together', () => {
  const cells = Array.from({ length: 4 }, () => 'a'.repeat(30_000));
  const rows = read([`email,a,b,c,d\nx@example.com,${cells.join(',')}\n`]);
  expect(summarise(rows)).toEqual([[2, expect.stringContaining('the limit is 102400')]]);
});
