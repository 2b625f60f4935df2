import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestKeyed, hashKeyed } from './keyed-hash.ts';

test('the hash is HMAC-SHA-256, whatever the key and however long the text', () => {
  const keys = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(keys, texts, (key, list) => {
      for (const text of list) {
        const digest = (encoding: 'utf8' | 'latin1') =>
          createHmac('sha256', key).update(text, encoding).digest();
        expect(hashKeyed(key, text)).toBe(digest('utf8').toString('hex'));
        expect(digestKeyed(key, text)).toBe(digest('utf8').toString('latin1'));
        expect(digestKeyed(key, text, 'latin1')).toBe(digest('latin1').toString('latin1'));
      }
    }),
  );
});
