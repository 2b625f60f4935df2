import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashSecret } from '../http/secret.ts';
import type { TenantId } from '../ids.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { findApiKey, insertApiKey } from './api-key-store.ts';
import { createKeyUsage } from './key-usage.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const tenantId = 1 as TenantId;
let made = 0;
const newKey = () =>
  insertApiKey(database.db, tenantId, {
    name: 'k',
    scopes: ['*'],
    hash: hashSecret(`k${made++}`),
    hint: 'abcd',
  });

test('the last use of many keys is written at once, and of one at most once a minute', async () => {
  let now = 0;
  const clock = { now: Date.now, monotonic: () => now };
  const usage = createKeyUsage({ sql: database.db, clock, log: silentLog });
  const [one, two, unused] = [await newKey(), await newKey(), await newKey()];
  const lastUse = async (id: typeof one) => (await findApiKey(database.db, tenantId, id))?.lastUsedAt;
  usage.note(tenantId, one);
  usage.note(tenantId, two);
  await usage.flush();
  expect(await lastUse(one)).toBeInstanceOf(Date);
  expect(await lastUse(two)).toBeInstanceOf(Date);
  expect(await lastUse(unused)).toBeNull();

  await database.db.write('UPDATE api_keys SET last_used_at = NULL');
  now = 59_999;
  usage.note(tenantId, one);
  await usage.flush();
  expect(await lastUse(one)).toBeNull();
  now = 60_000;
  usage.note(tenantId, one);
  await usage.stop();
  expect(await lastUse(one)).toBeInstanceOf(Date);
});

test("a note that names another tenant changes nobody's key", async () => {
  const usage = createKeyUsage({
    sql: database.db,
    clock: { now: Date.now, monotonic: () => 0 },
    log: silentLog,
  });
  const key = await newKey();
  usage.note(2 as TenantId, key);
  await usage.flush();
  expect((await findApiKey(database.db, tenantId, key))?.lastUsedAt).toBeNull();
});
