import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { assertInstallationKey } from './secret-box.ts';

let database: TestDatabase;
const key = Buffer.alloc(32, 1);

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('the first starts, also at once, store the check of their key; later ones with it pass, others do not', async () => {
  const { db } = database;
  await Promise.all(Array.from({ length: 5 }, () => assertInstallationKey(db, key)));
  await assertInstallationKey(db, key);
  await expect(assertInstallationKey(db, Buffer.alloc(32, 2))).rejects.toThrow('SECRET_KEY is not the one');
  const [row, ...others] = await db.rows<{ value: Buffer }>('SELECT value FROM installation');
  expect(others).toEqual([]);
  expect(row?.value.equals(key)).toBe(false);
});
