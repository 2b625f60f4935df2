/**
 * What importing profiles costs: reading alone, and whole imports of new and of known profiles. Run after `npm run build`:
 *
 *   DATABASE_URL=... node dist/load-tests/bench/import.js [--quick]
 */
import { createCsvReader } from '../../src/audience/csv-rows.ts';
import { appendBlock, blockBytes } from '../../src/audience/import-blocks.ts';
import { runNextImport } from '../../src/audience/import-runner.ts';
import { type ImportFormat, importFormats } from '../../src/audience/import-state.ts';
import { findImport, type ImportKey, insertImport, submitImport } from '../../src/audience/import-store.ts';
import { readText } from '../../src/audience/import-text.ts';
import { insertList } from '../../src/audience/list-store.ts';
import { createNdjsonReader } from '../../src/audience/ndjson-rows.ts';
import type { ImportId, ListId, TenantId } from '../../src/ids.ts';
import { createTestDatabase, silentLog } from '../../src/testing/test-database.ts';
import { formatCost, isQuick } from './stopwatch.ts';

const rows = isQuick ? 20_000 : 200_000;
const rounds = isQuick ? 1 : 3;
const tenantId = 1 as TenantId;
const listId = 5 as ListId;
const addressKey = Buffer.alloc(32, 7);
const write = { csv: writeCsv, ndjson: writeNdjson } as const;
let imports = 0;

const { db, drop } = await createTestDatabase();
try {
  await insertList(db, { tenantId, id: listId }, 'All');
  for (const format of importFormats) await measureReading(format);
  for (let round = 0; round < rounds; round++) {
    for (const format of importFormats) await measureImports(format, `${format}${round}`);
    await measureImport('csv, new, onto a list', {
      format: 'csv',
      file: writeCsv(`listed${round}`, 'gold'),
      listId,
    });
  }
} finally {
  await drop();
}
process.exit(0);

async function measureReading(format: ImportFormat): Promise<void> {
  const file = write[format]('read', 'gold');
  for (let round = 0; round <= rounds; round++) {
    const reader = (format === 'csv' ? createCsvReader : createNdjsonReader)({ tenantId, addressKey });
    const report = startReport();
    for await (const text of readText(blocksOf(file))) reader.push(text);
    reader.end();
    // The first warms the compiler up.
    if (round > 0) report(`${format}, read a row`);
  }
}

async function measureImports(format: ImportFormat, name: string): Promise<void> {
  const gold = write[format](name, 'gold');
  const blue = write[format](name, 'blue');
  await measureImport(`${format}, new`, { format, file: gold, listId: null });
  await measureImport(`${format}, changed`, { format, file: blue, listId: null });
  await measureImport(`${format}, the same again`, { format, file: blue, listId: null });
}

interface Upload {
  readonly format: ImportFormat;
  readonly file: Buffer;
  readonly listId: ListId | null;
}

async function measureImport(name: string, upload: Upload): Promise<void> {
  const key = { tenantId, id: ++imports as ImportId };
  await submit(key, upload);
  const report = startReport();
  await runNextImport({ db, log: silentLog, addressKey }, new AbortController().signal);
  report(name);
  const { state, accepted } = (await findImport(db, key)) ?? {};
  if (state !== 'done' || accepted !== rows) throw new Error(`${name}: ${state}, ${accepted} rows`);
}

async function submit(key: ImportKey, { format, file, listId: list }: Upload): Promise<void> {
  await insertImport(db, key, { format, listId: list });
  let number = 0;
  for await (const data of blocksOf(file)) await appendBlock(db, key, { number: number++, data });
  await submitImport(db, key);
}

async function* blocksOf(file: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += blockBytes) yield file.subarray(at, at + blockBytes);
}

function startReport(): (name: string) => void {
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  return (name) => {
    const micros = ((performance.now() - startedAt) * 1000) / rows;
    const { user, system } = process.cpuUsage(cpuAtStart);
    process.stdout.write(
      formatCost(`${name} (${Math.round(1e6 / micros)}/s)`, micros, (user + system) / rows),
    );
  };
}

/** Some 100 bytes a row, as an address book has them. */
function writeCsv(name: string, tier: string): Buffer {
  const lines = Array.from({ length: rows }, (_, i) => {
    const { email, first_name, city } = personAt(name, i);
    return `${email},${first_name},Europe/Berlin,${city},${tier},2024-03-${(i % 28) + 1}\n`;
  });
  return Buffer.from(`email,first_name,time_zone,city,tier,last_order\n${lines.join('')}`);
}

function writeNdjson(name: string, tier: string): Buffer {
  const lines = Array.from({ length: rows }, (_, i) => {
    const { email, first_name, city } = personAt(name, i);
    const attributes = { first_name, city, tier, orders: i % 50, tags: ['a', 'b'] };
    return `${JSON.stringify({ email, time_zone: 'Europe/Berlin', attributes })}\n`;
  });
  return Buffer.from(lines.join(''));
}

function personAt(name: string, i: number) {
  return {
    email: `${name}.person${i}@example${i % 50}.com`,
    first_name: `Zoë ${i}`,
    city: `Köln ${i % 100}`,
  };
}
