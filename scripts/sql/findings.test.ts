import { expect, test } from 'vitest';
import { findMistakes, findSchemaMistakes } from './findings.ts';
import { readStatements } from './read-statements.ts';
import { readSchema, readTables } from './tables.ts';

const schema = await readSchema();
const tables = readTables(schema);
const listed = readStatements(process.cwd());
const mistakesOf = (text: string) =>
  findMistakes([...listed, { path: 'src/x.ts', name: 'readX', text }], tables);

test('every statement uses what the lists know, and names its tenant or a reason', () => {
  expect(listed.length).toBeGreaterThan(200);
  expect(findMistakes(listed, tables)).toEqual([]);
  expect(findSchemaMistakes(schema)).toEqual([]);
});

test.each([
  ['SELECT GET_LOCK(?, 1)', 'GET_LOCK'],
  ['LOCK TABLES leases WRITE', 'TABLES'],
  ['SELECT name FROM leases FOR UPDATE SKIP LOCKED', 'SKIP'],
  ['INSERT INTO leases (name) VALUES (?) RETURNING name', 'RETURNING'],
  ['WITH due AS (SELECT name FROM leases) SELECT name FROM due', 'WITH'],
  ['SELECT ROW_NUMBER() OVER (ORDER BY name) FROM leases', 'OVER'],
  ['SELECT name INTO @name FROM leases', '@name'],
  ['XA START ?', 'XA'],
  ['CALL sweep()', 'CALL'],
  ['SELECT name FROM leases WHERE until > NOW(3)', 'until'],
  ['UPDATE leases SET `until` = NOW(3) + INTERVAL (1 + 1) SECOND', 'INTERVAL ('],
])('%s is refused', (text, word) => {
  expect(mistakesOf(text)).toContain(`src/x.ts:readX: ${word} is not in scripts/sql/constructs.ts`);
});

test.each(['FOREIGN', 'TRIGGER', 'FULLTEXT', 'GENERATED'])('%s is refused in migrations', (word) => {
  const text = `ALTER TABLE lists ADD ${word}`;
  expect(findSchemaMistakes([...schema, text])).toEqual([
    `migrations: ${word} is not in scripts/sql/constructs.ts`,
  ]);
});

test('a statement that names no tenant is refused, and so is one that does so only key by key', () => {
  const wide = 'src/x.ts:readX: names no tenant, and is not in scripts/sql/whole-cell.ts';
  expect(mistakesOf('SELECT id FROM campaigns WHERE id = ?')).toEqual([wide]);
  expect(mistakesOf('SELECT id FROM campaigns WHERE «tenant_id = ? AND id = ?»')).toEqual([wide]);
  expect(mistakesOf('SELECT id FROM campaigns WHERE tenant_id = ? AND id = ?')).toEqual([]);
});

test('a join of two tenants’ rows is refused', () => {
  const text = 'SELECT p.id FROM list_members m JOIN profiles p ON p.email = m.email WHERE m.tenant_id = ?';
  expect(mistakesOf(text)).toEqual(['src/x.ts:readX: joins profiles without its tenant']);
});

test.each([
  'UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ? AND destination_id = ? AND class = ?',
  'SELECT 1 FROM lanes WHERE tenant_id = ? AND destination_id = ? FOR UPDATE',
  'SELECT 1 FROM chunks c WHERE c.tenant_id = ? AND c.state = 0 LOCK IN SHARE MODE',
])('%s may wait at an entry that is gone afterwards, and is refused', (text) => {
  const table = text.includes('lanes') ? 'lanes' : 'chunks';
  expect(mistakesOf(text)).toEqual([
    `src/x.ts:readX: takes rows of ${table} by a key that may move: FORCE INDEX`,
  ]);
});

test.each([
  'UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NULL WHERE tenant_id = ? AND destination_id = ? AND class = ?',
  'SELECT 1 FROM lanes WHERE tenant_id = ? AND destination_id = ? AND class = ? FOR UPDATE',
  'SELECT 1 FROM lanes WHERE tenant_id = ? AND destination_id = ?',
  'UPDATE lists SET name = ? WHERE tenant_id = ? AND id = ?',
])('%s is fine', (text) => {
  expect(mistakesOf(text)).toEqual([]);
});

test('a key that the tenant does not lead is refused', () => {
  const added = { name: 'notes', keys: [{ name: 'PRIMARY', columns: ['id'] }] };
  expect(findMistakes(listed, [...tables, added])).toEqual([
    'notes PRIMARY: does not begin with tenant_id, and is not in scripts/sql/other-keys.ts',
  ]);
});

test('what is listed and no longer there is found', () => {
  const left = listed.filter(({ name }) => name !== 'findBearer');
  expect(findMistakes(left, tables)).toEqual([
    'src/tenants/api-key-store.ts:findBearer: is listed, and no longer there',
  ]);
});
