import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import type { ImportId, ListId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { createTestDatabase, silentLog } from '../testing/test-database.ts';
import { appendBlock, blockBytes } from './import-blocks.ts';
import { createImportRunner } from './import-runner.ts';
import { findImport, type ImportKey, insertImport, submitImport } from './import-store.ts';
import { insertList } from './list-store.ts';

test('100,000 rows go in by the loop, in bounded memory', async () => {
  const { db, drop } = await createTestDatabase();
  onTestFinished(drop);
  const key = await submitLargeFile(db);
  const before = liveBytes();
  const runner = createImportRunner({ db, log: silentLog, addressKey: Buffer.alloc(32, 7) });
  await runner.start();
  let most = 0;
  await expect
    .poll(
      async () => {
        most = Math.max(most, liveBytes() - before);
        return findImport(db, key);
      },
      { timeout: 60_000, interval: 200 },
    )
    .toMatchObject({ state: 'done', rows: 100_000, accepted: 100_000 });
  await runner.stop();
  expect(most).toBeLessThan(20_000_000);
  const counted = await db.first('SELECT COUNT(*) AS n FROM list_members WHERE list_id = 5');
  expect(counted).toEqual({ n: 100_000 });
}, 90_000);

async function submitLargeFile(db: Database): Promise<ImportKey> {
  const key = { tenantId: 1 as TenantId, id: 1 as ImportId };
  const listId = 5 as ListId;
  await insertList(db, { tenantId: key.tenantId, id: listId }, 'All');
  await insertImport(db, key, { format: 'csv', listId });
  const file = writeLargeFile();
  for (let number = 0; number * blockBytes < file.length; number++) {
    const data = file.subarray(number * blockBytes, (number + 1) * blockBytes);
    await appendBlock(db, key, { number, data });
  }
  await submitImport(db, key);
  return key;
}

/** 45 MB, of which a runner holds a block and a few batches. */
function writeLargeFile(): Buffer {
  const note = 'x'.repeat(400);
  const rows = Array.from(
    { length: 100_000 },
    (_, i) => `user${i}@example.com,First${i},Europe/Berlin,${note}\n`,
  );
  return Buffer.from(`email,first_name,time_zone,note\n${rows.join('')}`);
}

/** What is left after a full collection. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
