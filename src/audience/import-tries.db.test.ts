/** How often an import is tried: for ever while each try gets further, three times where none does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImportId, TenantId } from '../ids.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { appendBlock } from './import-blocks.ts';
import { type ClaimedImport, claimImport, recordBatch, releaseImport } from './import-lease.ts';
import { runNextImport } from './import-runner.ts';
import { findImport, type ImportKey, insertImport, submitImport } from './import-store.ts';

let database: TestDatabase;
let nextTenant = 1;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function submit(text: string): Promise<ImportKey> {
  const key = { tenantId: nextTenant++ as TenantId, id: 1 as ImportId };
  await insertImport(database.db, key, { format: 'csv', listId: null });
  await appendBlock(database.db, key, { number: 0, data: Buffer.from(text) });
  await submitImport(database.db, key);
  return key;
}

async function claim(): Promise<ClaimedImport> {
  const claimed = await claimImport(database.db);
  if (!claimed) throw new Error('there is nothing to claim');
  return claimed;
}

/** As a runner that writes so many batches of a hundred rows. */
async function write(claimed: ClaimedImport, batches: number): Promise<void> {
  for (let n = 0; n < batches; n++)
    await database.db.transaction((tx) => recordBatch(tx, claimed, { accepted: 90, rejected: 10 }));
}

/** ... and dies then, long enough ago. */
async function die({ tenantId, id }: ImportKey, batches: number): Promise<void> {
  await write(await claim(), batches);
  await database.db.write(
    'UPDATE imports SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE tenant_id = ? AND id = ?',
    [tenantId, id],
  );
}

const run = () =>
  runNextImport(
    { db: database.db, log: silentLog, addressKey: Buffer.alloc(32, 7) },
    new AbortController().signal,
  );
const givenUp = { state: 'failed', failure: 'It was tried 3 times without getting any further' };

test('an import that gets further with each try outlives any number of faults', async () => {
  const rows = Array.from({ length: 700 }, (_, i) => `a${i}@example.com`);
  const key = await submit(`email\n${rows.join('\n')}\nbad\n`);
  for (let tries = 1; tries <= 6; tries++) await die(key, tries);
  expect(await run()).toBe(true);
  expect(await findImport(database.db, key)).toMatchObject({
    ...{ state: 'done', failure: null },
    ...{ rows: 701, accepted: 700, rejected: 1 },
  });
});

test('a file that stops its runner at the same place is failed after three tries', async () => {
  const key = await submit('email\na@example.com\n');
  for (let tries = 1; tries <= 3; tries++) await die(key, 4);
  expect(await run()).toBe(false);
  expect(await findImport(database.db, key)).toMatchObject({ ...givenUp, rows: 400 });
});

test('tries that get less far than the best count, and its place is kept over a clean stop', async () => {
  const key = await submit('email\na@example.com\n');
  await die(key, 5);
  await die(key, 2);
  const stopped = await claim();
  await write(stopped, 1);
  await releaseImport(database.db, stopped);
  expect(await findImport(database.db, key)).toMatchObject({ state: 'pending', rows: 100, accepted: 90 });
  await die(key, 5);
  expect(await run()).toBe(false);
  expect(await findImport(database.db, key)).toMatchObject(givenUp);
});

test('after a try that got further there are two more', async () => {
  const key = await submit('email\na@example.com\n');
  for (const batches of [1, 1, 2, 2, 2]) await die(key, batches);
  expect(await run()).toBe(false);
  expect(await findImport(database.db, key)).toMatchObject(givenUp);
});
