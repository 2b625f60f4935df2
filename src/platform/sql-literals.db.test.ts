import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../testing/test-database.ts';
import { hexLiteral, textLiteral } from './sql-literals.ts';

test('what is written is what is read, whatever it holds', async () => {
  const { db, drop } = await createTestDatabase();
  onTestFinished(drop);
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom("'", '\\', '\0', '"', '\n', '\x1a', '%', '?', 'ä', '💌'),
      maxLength: 12,
    }),
  );
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const hex = Buffer.from(value).toString('hex');
      const row = await db.first(`SELECT ${textLiteral(value)} AS text, ${hexLiteral(hex)} AS bytes`);
      expect(row).toEqual({ text: value, bytes: Buffer.from(value) });
    }),
    { numRuns: 200 },
  );
});

test.each(["'", '0', 'zz', "00' OR '1", '00\n'])('%j is no hexadecimal', (hex) => {
  expect(() => hexLiteral(hex)).toThrow(TypeError);
});
