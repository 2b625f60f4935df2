import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImportId, ListId, TenantId } from '../ids.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { addressHash } from './address.ts';
import { createCsvReader } from './csv-rows.ts';
import { createBatchWriter, maxStoredErrors } from './import-batches.ts';
import { appendBlock, readBlocks } from './import-blocks.ts';
import { claimImport, recordBatch } from './import-lease.ts';
import { runNextImport } from './import-runner.ts';
import {
  cancelImport,
  findImport,
  type ImportKey,
  insertImport,
  listImportErrors,
  submitImport,
} from './import-store.ts';
import { sweepImports } from './import-sweep.ts';
import { listMembers } from './list-members.ts';
import { insertList } from './list-store.ts';
import { findProfileByHash, listProfiles } from './profile-store.ts';

let test_: TestDatabase;
let db: TestDatabase['db'];
let nextTenant = 1;
const addressKey = Buffer.alloc(32, 7);
const never = new AbortController().signal;

beforeAll(async () => {
  test_ = await createTestDatabase();
  db = test_.db;
});
afterAll(() => test_.drop());

async function submit(
  text: string | Buffer,
  {
    tenantId = nextTenant++ as TenantId,
    id = 1 as ImportId,
    format = 'csv' as 'csv' | 'ndjson',
    listId = null as ListId | null,
  } = {},
): Promise<ImportKey> {
  const key = { tenantId, id };
  await insertImport(db, key, { format, listId });
  const bytes = Buffer.from(text);
  for (let number = 0; number * 1_000_000 < bytes.length; number++) {
    await appendBlock(db, key, {
      number,
      data: bytes.subarray(number * 1_000_000, (number + 1) * 1_000_000),
    });
  }
  await submitImport(db, key);
  return key;
}

const options = () => ({ db, log: silentLog, addressKey });
const run = () => runNextImport(options(), never);
const profilesOf = (tenantId: TenantId) => listProfiles(db, { tenantId, afterId: 0, limit: 1000 });
const errorsOf = (key: ImportKey) => listImportErrors(db, key, { afterLine: 0, limit: 20_000 });

test('a file becomes profiles on a list, with its bad rows reported by line', async () => {
  const list = { tenantId: nextTenant++ as TenantId, id: 5 as ListId };
  await insertList(db, list, 'News');
  const text = Buffer.concat([
    Buffer.from('\ufeffemail;first_name;time_zone\r\nada@example.com;Ada;Europe/London\r\nbad;x;\r\n'),
    Buffer.from('bo@example.com;Bj\xf6rn;\r\n', 'latin1'),
    Buffer.from('zoë@example.com;Zoë;\r\n"q@example.com;x;\r\ncy@example.com;"Cy; ""C""";\r\n'),
  ]);
  const key = await submit(text, { tenantId: list.tenantId, listId: list.id });
  expect(await run()).toBe(true);
  expect(await findImport(db, key)).toMatchObject({
    state: 'done',
    rows: 6,
    accepted: 3,
    rejected: 3,
    failure: null,
  });
  expect(await errorsOf(key)).toEqual([
    { line: 3, field: 'email', detail: 'has no domain' },
    { line: 4, field: 'first_name', detail: 'is not UTF-8' },
    { line: 6, field: null, detail: 'has a quote that is not closed' },
  ]);
  const profiles = await profilesOf(list.tenantId);
  expect(profiles.map((p) => [p.email, p.attributes, p.timeZone]).sort()).toEqual([
    ['ada@example.com', { first_name: 'Ada' }, 'Europe/London'],
    ['cy@example.com', { first_name: 'Cy; "C"' }, null],
    ['zoë@example.com', { first_name: 'Zoë' }, null],
  ]);
  expect(await listMembers(db, list, { afterId: 0, limit: 10 })).toHaveLength(3);
});

test('its blocks are removed at the end, and when a sweep dies before that, by the next', async () => {
  const key = await submit('email\na@example.com\n');
  await run();
  expect((await readBlocks(db, key).next()).done).toBe(false);
  await sweepImports(db);
  expect((await readBlocks(db, key).next()).done).toBe(true);
  expect(await sweepImports(db)).toBe(0);
});

test('later rows of an address win field by field, within a batch and across batches', async () => {
  const filler = Array.from({ length: 2_000 }, (_, i) => JSON.stringify({ email: `f${i}@example.com` }));
  const lines = [
    '{"email":"a@example.com","phone":"+491234567","attributes":{"x":1,"y":{"p":1},"z":1}}',
    '{"email":"A@example.com","phone":null,"attributes":{"x":null,"y":{"q":2}}}',
    '{"email":"a@example.com","attributes":{"x":{"n":1,"gone":null}}}',
    ...filler,
    '{"email":"a@example.com","attributes":{"z":null,"w":[null,{"k":null}]}}',
  ];
  const key = await submit(lines.join('\n'), { format: 'ndjson' });
  await run();
  expect(await findImport(db, key)).toMatchObject({ state: 'done', rows: 2_004, accepted: 2_004 });
  const hash = addressHash(addressKey, key.tenantId, 'a@example.com');
  const profile = await findProfileByHash(db, key.tenantId, hash);
  expect(profile).toMatchObject({
    email: 'a@example.com',
    phone: null,
    attributes: { x: { n: 1 }, y: { p: 1, q: 2 }, w: [null, { k: null }] },
  });
  expect(profile?.attributes).not.toHaveProperty('z');
});

test('a runner that dies is succeeded by another, and nothing counts twice', async () => {
  const key = await submit('email,a\na@example.com,1\nbad,1\n');
  const dead = await claimImport(db);
  expect(dead).toMatchObject(key);
  if (!dead) return;
  await db.transaction((tx) => recordBatch(tx, dead, { accepted: 1, rejected: 1 }));
  await db.write('INSERT INTO import_errors (tenant_id, import_id, line, detail) VALUES (?, ?, 3, ?)', [
    key.tenantId,
    key.id,
    'of the first try',
  ]);
  expect(await run()).toBe(false);
  await endLease(key);
  expect(await run()).toBe(true);
  expect(await findImport(db, key)).toMatchObject({ state: 'done', rows: 2, accepted: 1, rejected: 1 });
  expect(await errorsOf(key)).toEqual([{ line: 3, field: 'email', detail: 'has no domain' }]);
  await expect(db.transaction((tx) => recordBatch(tx, dead, { accepted: 1, rejected: 0 }))).rejects.toThrow();
});

const endLease = ({ tenantId, id }: ImportKey) =>
  db.write('UPDATE imports SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE tenant_id = ? AND id = ?', [
    tenantId,
    id,
  ]);

test('an import that never comes to its end is failed after three tries', async () => {
  const key = await submit('email\na@example.com\n');
  for (let tries = 0; tries < 3; tries++) {
    expect(await claimImport(db)).toMatchObject(key);
    await endLease(key);
  }
  expect(await run()).toBe(false);
  expect(await findImport(db, key)).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining('3 times'),
  });
});

test('a cancelled import stops at its next batch', async () => {
  const key = await submit('email\na@example.com\n');
  const claimed = await claimImport(db);
  expect(await cancelImport(db, key)).toBe(true);
  await expect(
    db.transaction((tx) => recordBatch(tx, claimed as never, { accepted: 1, rejected: 0 })),
  ).rejects.toThrow();
  expect(await cancelImport(db, key)).toBe(false);
  expect(await run()).toBe(false);
  expect(await findImport(db, key)).toMatchObject({ state: 'cancelled', rows: 0 });
});

test('stopping gives the import back without a burnt try, and the next runner finishes it', async () => {
  const key = await submit('email\na@example.com\n');
  expect(await runNextImport(options(), AbortSignal.abort())).toBe(true);
  expect(await findImport(db, key)).toMatchObject({ state: 'pending' });
  const row = await db.first('SELECT tries FROM imports WHERE tenant_id = ? AND id = ?', [
    key.tenantId,
    key.id,
  ]);
  expect(row).toEqual({ tries: 0 });
  await run();
  expect(await findImport(db, key)).toMatchObject({ state: 'done', accepted: 1 });
});

test('a tenant with an import running waits with its next, others do not', async () => {
  const [whale, shop] = [nextTenant++ as TenantId, nextTenant++ as TenantId];
  for (const id of [1, 2, 3]) await submit('email\na@example.com\n', { tenantId: whale, id: id as ImportId });
  await submit('email\na@example.com\n', { tenantId: shop, id: 9 as ImportId });
  expect(await claimImport(db)).toMatchObject({ tenantId: whale, id: 1 });
  expect(await claimImport(db)).toMatchObject({ tenantId: shop, id: 9 });
  expect(await claimImport(db)).toBeUndefined();
  for (const id of [1, 2, 3]) await cancelImport(db, { tenantId: whale, id: id as ImportId });
  await cancelImport(db, { tenantId: shop, id: 9 as ImportId });
});

test.each([
  ['an empty header', ',,\n', 'no name'],
  ['UTF-16', Buffer.from('\ufeffemail\na@example.com\n', 'utf16le'), 'UTF-16'],
  ['a spreadsheet', Buffer.from('PK\u0003\u0004\u0014\u0000\u0006\u0000\n\u0000\u0000'), 'Column 1'],
])('a file with %s fails and says why', async (_name, text, failure) => {
  const key = await submit(text);
  expect(await run()).toBe(true);
  expect(await findImport(db, key)).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining(failure),
  });
});

test('all rejected rows are counted and the first ten thousand kept', async () => {
  const rows = Array.from({ length: maxStoredErrors + 2_500 }, () => 'bad');
  const key = await submit(`email\n${rows.join('\n')}\n`);
  await run();
  expect(await findImport(db, key)).toMatchObject({ state: 'done', rejected: 12_500, rows: 12_500 });
  const errors = await errorsOf(key);
  expect(errors).toHaveLength(maxStoredErrors);
  expect(errors.at(-1)).toMatchObject({ line: maxStoredErrors + 1 });
});

test('parallel imports of the same people all come through', async () => {
  const tenantId = nextTenant++ as TenantId;
  const order = (seed: number) =>
    Array.from({ length: 5_000 }, (_, i) => `u${(i * seed) % 5_000}@example.com,${seed}`).join('\n');
  const keys = [];
  for (const [id, seed] of [1, 7, 11, 13].entries()) {
    keys.push(await submit(`email,a${seed}\n${order(seed)}\n`, { tenantId, id: (id + 1) as ImportId }));
  }
  // The claim would run them one after the other: what is tested here is two writers of the same rows.
  await Promise.all(
    keys.map(async (key) => {
      const owner = `owner-${key.id}`;
      await db.write("UPDATE imports SET state = 'running', owner = ? WHERE tenant_id = ? AND id = ?", [
        owner,
        key.tenantId,
        key.id,
      ]);
      const writer = createBatchWriter(db, { ...key, format: 'csv', listId: null, owner });
      const reader = createCsvReader({ tenantId, addressKey });
      for await (const block of readBlocks(db, key)) {
        const rows = reader.push(block.toString());
        for (let start = 0; start < rows.length; start += 800)
          await writer.write(rows.slice(start, start + 800));
      }
      await writer.drain();
    }),
  );
  const [found] = await db.rows<{ n: number; whole: number }>(
    `SELECT COUNT(*) AS n, SUM(JSON_LENGTH(attributes) = 4) AS whole FROM profiles WHERE tenant_id = ?`,
    [tenantId],
  );
  expect(found).toEqual({ n: 5_000, whole: 5_000 });
  for (const key of keys) await cancelImport(db, key);
});

test('a profile that a row would make too large stays as it is, is reported by its line, and holds up no other', async () => {
  const attributes = (from: number) =>
    Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`attribute_${from + i}`, i]));
  const line = (email: string, from: number) =>
    `${JSON.stringify({ email, attributes: attributes(from) })}\n`;
  const first = await submit(line('ada@example.com', 0) + line('bob@example.com', 0), { format: 'ndjson' });
  await run();
  const { tenantId } = first;
  const text = line('ada@example.com', 250) + line('bob@example.com', 100) + line('eve@example.com', 0);
  const second = await submit(text, { tenantId, id: 2 as ImportId, format: 'ndjson' });
  await run();
  expect(await findImport(db, second)).toMatchObject({ state: 'done', accepted: 2, rejected: 1 });
  expect(await errorsOf(second)).toEqual([
    { line: 1, field: null, detail: 'would give the profile too many attributes' },
  ]);
  const sizes = (await profilesOf(tenantId)).map(({ email, attributes }) => [email, Object.keys(attributes)]);
  expect(Object.fromEntries(sizes)).toMatchObject({
    'ada@example.com': { length: 250 },
    'bob@example.com': { length: 350 },
    'eve@example.com': { length: 250 },
  });
});
