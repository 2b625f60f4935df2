import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashKeyed } from './keyed-hash.ts';

test('the hash is HMAC-SHA-256, whatever the key and however long the text', () => {
  const keys = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(keys, texts, (key, list) => {
      for (const text of list) {
        expect(hashKeyed(key, text)).toBe(createHmac('sha256', key).update(text).digest('hex'));
      }
    }),
  );
});
