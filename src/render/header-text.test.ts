import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import { encodeHeaderText, encodePhrase, hasLineBreak } from './header-text.ts';

test('plain text stays as it is', () => {
  expect(encodeHeaderText('Black Friday: 50% off', 9)).toBe('Black Friday: 50% off');
});

test('long plain text is folded at its spaces at 78 octets', () => {
  const text = 'word '.repeat(60).trim();
  const lines = `Subject: ${encodeHeaderText(text, 9)}`.split('\r\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
  expect(lines.join('')).toBe(`Subject: ${text}`);
});

test('encoded words have at most 75 octets, lines 76, and no word splits a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), (text) => {
      const encoded = encodeHeaderText(`é${text}`, 9);
      for (const line of `Subject: ${encoded}`.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
      for (const word of encoded.split('\r\n ')) {
        expect(word).toMatch(/^=\?UTF-8\?B\?[A-Za-z0-9+/]+=*\?=$/);
        expect(word.length).toBeLessThanOrEqual(75);
        const bytes = Buffer.from(word.slice(10, -2), 'base64');
        expect(Buffer.from(bytes.toString('utf8'))).toEqual(bytes);
      }
    }),
  );
});

test('what reads like an encoded word, or has a word too long to fold, is encoded', () => {
  expect(encodeHeaderText('=?UTF-8?Q?x?=', 9)).toMatch(/^=\?UTF-8\?B\?/);
  for (const line of encodeHeaderText('x'.repeat(900), 9).split('\r\n'))
    expect(line.length).toBeLessThanOrEqual(76);
});

test('another parser reads back any subject and any display name', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }).map((value) =>
    value
      .replace(/\p{Cc}/gu, '')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (subject, name) => {
      fc.pre(subject !== '' && name !== '');
      const head = `From: ${encodePhrase(name, 6)}\r\n <a@example.org>\r\nSubject: ${encodeHeaderText(subject, 9)}\r\n\r\n`;
      const mail = await PostalMime.parse(head);
      expect(mail.subject).toBe(subject);
      expect(mail.from).toEqual({ name, address: 'a@example.org' });
    }),
    { numRuns: 500 },
  );
});

test('a display name with specials is quoted', () => {
  expect(encodePhrase('Ada Lovelace', 6)).toBe('Ada Lovelace');
  expect(encodePhrase('Shop, Inc. "X"', 6)).toBe('"Shop, Inc. \\"X\\""');
});

test('line breaks and NUL are seen', () => {
  expect(['a\rb', 'a\nb', 'a\0b', 'a\tb'].map(hasLineBreak)).toEqual([true, true, true, false]);
});
