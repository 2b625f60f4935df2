/**
 * What importing profiles costs: reading alone, and whole imports of new and of known profiles. Run after `npm run build`:
 *
 *   node dist/load-tests/import.bench.js [rows] [rounds]
 *
 * Needs DATABASE_URL; makes a database of its own and drops it.
 */
import { createCsvReader } from '../src/audience/csv-rows.ts';
import { appendBlock, blockBytes } from '../src/audience/import-blocks.ts';
import type { RowReader } from '../src/audience/import-row.ts';
import { runNextImport } from '../src/audience/import-runner.ts';
import { type ImportFormat, importFormats } from '../src/audience/import-state.ts';
import { findImport, insertImport, submitImport } from '../src/audience/import-store.ts';
import { readText } from '../src/audience/import-text.ts';
import { insertList } from '../src/audience/list-store.ts';
import { createNdjsonReader } from '../src/audience/ndjson-rows.ts';
import type { ImportId, ListId, TenantId } from '../src/ids.ts';
import type { Database } from '../src/platform/mysql.ts';
import { createTestDatabase, silentLog } from '../src/testing/test-database.ts';

const rows = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 3);
const tenantId = 1 as TenantId;
const listId = 5 as ListId;
const addressKey = Buffer.alloc(32, 7);
const write = { csv: writeCsv, ndjson: writeNdjson } as const;

const { db, drop } = await createTestDatabase();
try {
  await insertList(db, { tenantId, id: listId }, 'All');
  for (const format of importFormats) await measureReading(format);
  for (let round = 0; round < rounds; round++) {
    for (const format of importFormats) {
      const name = `${format}${round}`;
      await measureImport(`${format}, new`, { format, file: write[format](name, 'gold'), listId: null });
      await measureImport(`${format}, changed`, { format, file: write[format](name, 'blue'), listId: null });
      await measureImport(`${format}, the same`, { format, file: write[format](name, 'blue'), listId: null });
    }
    await measureImport('csv, new, onto a list', {
      format: 'csv',
      file: writeCsv(`listed${round}`, 'gold'),
      listId,
    });
  }
} finally {
  await drop();
}

async function measureReading(format: ImportFormat): Promise<void> {
  const file = write[format]('read', 'gold');
  for (let round = 0; round < 2; round++) {
    const options = { tenantId, addressKey };
    const reader: RowReader = format === 'csv' ? createCsvReader(options) : createNdjsonReader(options);
    const start = process.hrtime.bigint();
    let read = 0;
    for await (const text of readText(blocksOf(file))) read += reader.push(text).length;
    read += reader.end().length;
    report(`${format}, reading alone`, start, read);
  }
}

async function* blocksOf(file: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += blockBytes) yield file.subarray(at, at + blockBytes);
}

interface Upload {
  readonly format: ImportFormat;
  readonly file: Buffer;
  readonly listId: ListId | null;
}

async function measureImport(name: string, upload: Upload): Promise<void> {
  const key = { tenantId, id: nextImportId() };
  await submit(db, key, upload);
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await runNextImport({ db, log: silentLog, addressKey }, new AbortController().signal);
  const { user, system } = process.cpuUsage(cpu);
  report(name, start, rows, `, ${((user + system) / rows).toFixed(1)} µs of this process`);
  const { state, accepted } = (await findImport(db, key)) ?? {};
  if (state !== 'done' || accepted !== rows) throw new Error(`${name}: ${state}, ${accepted} rows`);
}

async function submit(sql: Database, key: { tenantId: TenantId; id: ImportId }, upload: Upload) {
  await insertImport(sql, key, { format: upload.format, listId: upload.listId });
  let number = 0;
  for await (const data of blocksOf(upload.file)) await appendBlock(sql, key, { number: number++, data });
  await submitImport(sql, key);
}

function nextImportId(): ImportId {
  return Number(process.hrtime.bigint() % 1_000_000_000_000n) as ImportId;
}

function report(name: string, start: bigint, count: number, more = ''): void {
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(`${name.padEnd(24)} ${Math.round(count / seconds)} rows/s${more}`);
}

/** Some 120 bytes a row, as an address book has them. */
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
