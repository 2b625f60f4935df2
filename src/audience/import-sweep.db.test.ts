import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImportId, TenantId } from '../ids.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { appendBlock, readBlocks } from './import-blocks.ts';
import { claimImport } from './import-lease.ts';
import { findImport, type ImportKey, insertImport, submitImport } from './import-store.ts';
import { sweepImports } from './import-sweep.ts';

let test_: TestDatabase;
let db: TestDatabase['db'];
let nextTenant = 1;

beforeAll(async () => {
  test_ = await createTestDatabase();
  db = test_.db;
});
afterAll(() => test_.drop());

async function startUpload(): Promise<ImportKey> {
  const key = { tenantId: nextTenant++ as TenantId, id: 1 as ImportId };
  await insertImport(db, key, { format: 'csv', listId: null });
  await appendBlock(db, key, { number: 0, data: Buffer.from('email\na@example.com\n') });
  return key;
}

test('an upload that is not finished is failed with its blocks, and a block too late is refused', async () => {
  const key = await startUpload();
  expect(await claimImport(db)).toBeUndefined();
  await db.write(
    'UPDATE imports SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE tenant_id = ? AND id = ?',
    [key.tenantId, key.id],
  );
  await sweepImports(db);
  expect(await findImport(db, key)).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining('broke off'),
  });
  expect(await appendBlock(db, key, { number: 1, data: Buffer.from('x') })).toBe(false);
  expect((await readBlocks(db, key).next()).done).toBe(true);
  expect(await submitImport(db, key)).toBe(false);
});

/** It would wait for the upload's own renewal, and that for it. */
test('a sweep locks no row of an upload that goes on', async () => {
  const key = await startUpload();
  await db.transaction(async (tx) => {
    await tx.first('SELECT 1 FROM imports WHERE tenant_id = ? AND id = ? FOR UPDATE', [key.tenantId, key.id]);
    await sweepImports(db);
  });
  expect(await findImport(db, key)).toMatchObject({ state: 'receiving' });
});
