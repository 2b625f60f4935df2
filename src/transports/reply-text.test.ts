import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, ownReply, parseReply } from './reply-text.ts';

describe('parseReply', () => {
  it.each([
    ['250 OK', { code: 250, text: 'OK' }],
    ['250', { code: 250, text: '' }],
    ['550 5.1.1 No such user', { code: 550, enhanced: '5.1.1', text: 'No such user' }],
    ['550-5.1.1 No such\n550 5.1.1 user', { code: 550, enhanced: '5.1.1', text: 'No such user' }],
    ['550-No such\r\n550 user', { code: 550, text: 'No such user' }],
    ['550 #5.1.0 Address rejected.', { code: 550, enhanced: '5.1.0', text: 'Address rejected.' }],
    ['554 30 Sorry', { code: 554, text: '30 Sorry' }],
    ['250 2.0.0', { code: 250, enhanced: '2.0.0', text: '' }],
    ['garbage', { code: 0, text: 'garbage' }],
    ['2 fine', { code: 0, text: '2 fine' }],
    ['2500 fine', { code: 0, text: '2500 fine' }],
    ['999 what', { code: 0, text: '999 what' }],
    ['', { code: 0, text: '' }],
  ])('%j', (raw, reply) => expect(parseReply(raw)).toEqual(reply));
});

describe('cleanText', () => {
  it('removes what could forge a log line or a header', () => {
    expect(cleanText('a\r\nb\0c\u001b[31md\u2028e\u202ef')).toBe('a b c [31md e f');
  });

  it('is never longer than 200 characters nor ends in half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const clean = cleanText(text);
        expect(clean.length).toBeLessThanOrEqual(200);
        expect(clean).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
    );
    expect(cleanText('😀'.repeat(200)).length).toBeLessThanOrEqual(200);
  });

  it('looks at no more of an endless reply than it needs', () => {
    const startedAt = performance.now();
    parseReply('250-x\r\n'.repeat(100_000));
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});

it('ownReply has code 0', () => {
  expect(ownReply('gone')).toEqual({ code: 0, text: 'gone' });
  expect(ownReply('too big', '5.3.4')).toEqual({ code: 0, enhanced: '5.3.4', text: 'too big' });
});
