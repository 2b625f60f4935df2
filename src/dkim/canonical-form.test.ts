import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashBody, relaxField, splitMessage } from './canonical-form.ts';

const fieldsOf = (header: string) =>
  splitMessage([Buffer.from(header)])
    .fields.map(({ canonical }) => canonical)
    .join('');
const hashOf = (canonical: string) => createHash('sha256').update(canonical).digest('base64');

test('RFC 6376, 3.4.5: the example', () => {
  const { fields, body } = splitMessage([
    Buffer.from('A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n'),
  ]);
  expect(fields.map(({ canonical }) => canonical)).toEqual(['a:X\r\n', 'b:Y Z\r\n']);
  expect(hashBody(body)).toBe(hashOf(' C \r\nD \t E\r\n'));
});

test('RFC 6376, 3.4.3: the hash of an empty body is that of a line end', () => {
  const empty = 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=';
  expect(hashBody([])).toBe(empty);
  expect(hashBody([Buffer.alloc(0), Buffer.from('\r\n')])).toBe(empty);
  expect(hashBody([Buffer.from('\r\n\r'), Buffer.from('\n'), Buffer.from('\r\n')])).toBe(empty);
});

test('only whole line ends are taken from the end, wherever buffers are cut', () => {
  expect(hashBody([Buffer.from('a\r'), Buffer.from('\n\r\n')])).toBe(hashOf('a\r\n'));
  expect(hashBody([Buffer.from('a\n')])).toBe(hashOf('a\n\r\n'));
  expect(hashBody([Buffer.from('a\r\n'), Buffer.from('\n')])).toBe(hashOf('a\r\n\n\r\n'));
  expect(hashBody([Buffer.from('\n')])).toBe(hashOf('\n\r\n'));
});

test('only spaces and tabs are white space: 0xA0 is half of a letter', () => {
  const field = Buffer.from('Voilà').toString('latin1');
  expect(relaxField('Subject', ` ${field}`)).toBe(`subject:${field}`);
  expect(Buffer.from(fieldsOf('Subject: Voilà\r\n\r\n'), 'latin1').toString()).toBe('subject:Voilà\r\n');
});

test('a message without an empty line is a header without a body', () => {
  const { fields, body } = splitMessage([Buffer.from('From: a\r\nTo'), Buffer.from(': b\r\n')]);
  expect(fields.map(({ name }) => name)).toEqual(['from', 'to']);
  expect(body).toEqual([]);
});
