import { expect, test } from 'vitest';
import { createTestDatabase, createTestRedis } from './test-database.ts';

test('a test database is migrated, apart from the others and gone at the end', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const insert = "INSERT INTO tenants (id, name, created_at) VALUES (1, 'x', UTC_TIMESTAMP(3))";
  await one.db.write(insert);
  expect(await two.db.rows('SELECT id FROM tenants')).toEqual([]);
  await one.drop();
  const name = new URL(one.url).pathname.slice(1);
  expect(
    await two.db.rows('SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?', [name]),
  ).toEqual([]);
  await two.drop();
});

test('keys under the prefix of a test are gone at the end', async () => {
  const [one, two] = await Promise.all([createTestRedis(), createTestRedis()]);
  await one.redis.set(`${one.prefix}:a`, 1);
  await two.redis.set(`${two.prefix}:a`, 1);
  await one.drop();
  expect(await two.redis.exists(`${one.prefix}:a`, `${two.prefix}:a`)).toBe(1);
  await two.drop();
});
