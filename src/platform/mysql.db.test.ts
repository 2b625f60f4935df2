import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import type { Sql } from './mysql.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function askNonsense(sql: Sql): Promise<void> {
  await sql.rows('SELECT no_such_column FROM campaigns');
}

test.each([
  ['alone', () => askNonsense(database.db)],
  ['in a transaction', () => database.db.transaction(askNonsense)],
  ['committed by itself', () => database.db.autocommit(askNonsense)],
])('a statement that fails, %s, says who asked it', async (_, ask) => {
  const error: Error = await ask().then(
    () => expect.unreachable(),
    (failed) => failed,
  );
  expect(error).toMatchObject({ code: 'ER_BAD_FIELD_ERROR' });
  expect(error.stack).toMatch(/no_such_column.*askNonsense/s);
});
