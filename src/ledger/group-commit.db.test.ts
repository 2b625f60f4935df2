import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database, Sql } from '../platform/mysql.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createGroupCommit } from './group-commit.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.db.write(
    'CREATE TABLE notes (id INT NOT NULL PRIMARY KEY, at INT NOT NULL AUTO_INCREMENT UNIQUE KEY)',
  );
});
beforeEach(() => database.db.write('DELETE FROM notes'));
afterAll(() => database.drop());

const write = (id: number) => async (tx: Sql) => {
  await tx.write('INSERT INTO notes (id) VALUES (?)', [id]);
  return id;
};
const ids = (n: number) => Array.from({ length: n }, (_, id) => id);
const readIds = async () =>
  (await database.db.rows<{ id: number }>('SELECT id FROM notes ORDER BY at')).map((row) => row.id);

/** Counts the transactions that are begun on it. */
function counted(db: Database): { db: Database; transactions: () => number } {
  let transactions = 0;
  return {
    db: {
      ...db,
      transaction(work) {
        transactions++;
        return db.transaction(work);
      },
    },
    transactions: () => transactions,
  };
}

test('works of the same moment share one transaction, in their order', async () => {
  const { db, transactions } = counted(database.db);
  const commits = createGroupCommit(db, { committers: 1, largestGroup: 32 });
  expect(await Promise.all(ids(20).map((id) => commits.run(write(id))))).toEqual(ids(20));
  expect(transactions()).toBe(1);
  expect(await readIds()).toEqual(ids(20));
});

test('what arrives during a commit gathers for the next, and no group is larger than told', async () => {
  const { db, transactions } = counted(database.db);
  const commits = createGroupCommit(db, { committers: 1, largestGroup: 8 });
  const first = commits.run(async (tx) => {
    const rest = ids(20).map((id) => commits.run(write(id + 1)));
    await tx.write('INSERT INTO notes (id) VALUES (0)');
    return rest;
  });
  await Promise.all(await first);
  expect(transactions()).toBe(1 + Math.ceil(20 / 8));
  expect(await readIds()).toEqual(ids(21));
});

test('a lone work waits for nobody, again and again', async () => {
  const commits = createGroupCommit(database.db, { committers: 2, largestGroup: 32 });
  for (const id of ids(5)) expect(await commits.run(write(id))).toBe(id);
});

test('a statement that waits alone needs no transaction; beside others it is in theirs', async () => {
  const { db, transactions } = counted(database.db);
  const commits = createGroupCommit(db, { committers: 1, largestGroup: 32 });
  expect(await commits.runStatement(write(0))).toBe(0);
  expect(transactions()).toBe(0);
  await Promise.all([commits.runStatement(write(1)), commits.runStatement(write(2))]);
  expect(transactions()).toBe(1);
  await commits.run(write(3));
  expect(transactions()).toBe(2);
  expect(await readIds()).toEqual(ids(4));
});

test('a statement that waits alone is tried again after a deadlock', async () => {
  let tries = 0;
  const commits = createGroupCommit(database.db, { committers: 1, largestGroup: 32 });
  const result = await commits.runStatement(async (sql) => {
    if (++tries === 1) throw Object.assign(new Error('Deadlock found'), { errno: 1213 });
    return write(7)(sql);
  });
  expect([result, tries]).toEqual([7, 2]);
  expect(await readIds()).toEqual([7]);
});

test('one bad work fails alone; its neighbours are committed', async () => {
  const commits = createGroupCommit(database.db, { committers: 1, largestGroup: 32 });
  await database.db.write('INSERT INTO notes (id) VALUES (3)');
  const results = await Promise.allSettled(ids(6).map((id) => commits.run(write(id))));
  expect(results.map((result) => result.status === 'rejected')).toEqual(ids(6).map((id) => id === 3));
  expect((await readIds()).sort()).toEqual(ids(6));
});

test('a second committer goes on while the first waits for a lock', async () => {
  const commits = createGroupCommit(database.db, { committers: 2, largestGroup: 32 });
  await database.db.write('INSERT INTO notes (id) VALUES (100)');
  let blocked: Promise<unknown> | undefined;
  await database.db.transaction(async (tx) => {
    await tx.first('SELECT 1 FROM notes WHERE id = 100 FOR UPDATE');
    const waits = new Promise<void>((resolve) => {
      blocked = commits.run((group) => {
        resolve();
        return group.write('UPDATE notes SET id = 101 WHERE id = 100');
      });
    });
    await waits;
    expect(await commits.run(write(1))).toBe(1);
  });
  await blocked;
  expect((await readIds()).sort()).toEqual([1, 101]);
});

test('when the database is away every work is told, and later ones go through again', async () => {
  let isAway = true;
  const db = {
    ...database.db,
    transaction: <T>(work: (tx: Sql) => Promise<T>) =>
      isAway ? Promise.reject(new Error('away')) : database.db.transaction(work),
  };
  const commits = createGroupCommit(db, { committers: 2, largestGroup: 4 });
  const results = await Promise.allSettled(ids(10).map((id) => commits.run(write(id))));
  expect(results.every((result) => result.status === 'rejected')).toBe(true);
  isAway = false;
  expect(await commits.run(write(1))).toBe(1);
});
