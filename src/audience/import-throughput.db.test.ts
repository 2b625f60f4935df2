import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import type { ImportId, ListId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { createTestDatabase, silentLog } from '../testing/test-database.ts';
import { appendBlock, blockBytes } from './import-blocks.ts';
import { createImportRunner } from './import-runner.ts';
import { type ImportFormat, importFormats } from './import-state.ts';
import { findImport, type ImportKey, insertImport, submitImport } from './import-store.ts';
import { insertList } from './list-store.ts';

const rowCount = 60_000;
const tenantId = 1 as TenantId;
const listId = 5 as ListId;

test('large files go in by the loop, new profiles and updates, in bounded memory', async () => {
  const { db, drop } = await createTestDatabase();
  onTestFinished(drop);
  await insertList(db, { tenantId, id: listId }, 'All');
  const runner = createImportRunner({ db, log: silentLog, addressKey: Buffer.alloc(32, 7) });
  await runner.start();
  const files = { csv: writeCsv, ndjson: writeNdjson };
  for (const [index, format] of importFormats.entries()) {
    const key = { tenantId, id: (index + 1) as ImportId };
    expect(await importLargeFile(db, key, { format, file: files[format]() })).toBeLessThan(20_000_000);
  }
  await runner.stop();
  const counted = await db.first(
    `SELECT COUNT(*) AS n, SUM(p.attributes LIKE '%gold%') AS updated FROM list_members m
     JOIN profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id WHERE m.list_id = 5`,
  );
  expect(counted).toEqual({ n: rowCount, updated: rowCount });
}, 90_000);

/** Answers the most bytes that were in use on the way. */
async function importLargeFile(
  db: Database,
  key: ImportKey,
  { format, file }: { format: ImportFormat; file: Buffer },
): Promise<number> {
  await insertImport(db, key, { format, listId });
  for (let number = 0; number * blockBytes < file.length; number++) {
    const data = file.subarray(number * blockBytes, (number + 1) * blockBytes);
    await appendBlock(db, key, { number, data });
  }
  const before = liveBytes();
  await submitImport(db, key);
  let most = 0;
  await expect
    .poll(
      async () => {
        most = Math.max(most, liveBytes() - before);
        return findImport(db, key);
      },
      { timeout: 60_000, interval: 200 },
    )
    .toMatchObject({ state: 'done', rows: rowCount, accepted: rowCount });
  return most;
}

/** 27 MB, of which a runner holds a block and a few batches. */
function writeCsv(): Buffer {
  const rows = Array.from(
    { length: rowCount },
    (_, i) => `user${i}@example.com,First${i},Europe/Berlin,${note}\n`,
  );
  return Buffer.from(`email,first_name,time_zone,note\n${rows.join('')}`);
}

/** Of the same people. */
function writeNdjson(): Buffer {
  const rows = Array.from({ length: rowCount }, (_, i) =>
    JSON.stringify({ email: `user${i}@example.com`, attributes: { tier: 'gold', note } }),
  );
  return Buffer.from(rows.join('\n'));
}

const note = 'x'.repeat(400);

/** What is left after a full collection. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
