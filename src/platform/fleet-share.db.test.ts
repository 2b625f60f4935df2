import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { createFleetShare, shareOf } from './fleet-share.ts';
import { createDatabase, type Database } from './mysql.ts';

let database: TestDatabase;
let other: Database;

beforeAll(async () => {
  database = await createTestDatabase({ connections: 6 });
  other = createDatabase({ url: database.url, connections: 6, log: silentLog });
});

afterAll(async () => {
  await other.stop();
  await database.drop();
});

const share = (db: Database, owner: string) =>
  createFleetShare({ db, log: silentLog, owner, fleetConnections: 8, ownConnections: 6, termMs: 300 });

test('processes share what the fleet may use, and the last one left gets it back', async () => {
  const first = share(database.db, 'first');
  const second = share(other, 'second');
  await first.start();
  expect(database.db.concurrency).toBe(6);
  await second.start();
  expect(other.concurrency).toBe(4);
  await expect.poll(() => database.db.concurrency).toBe(4);
  await second.stop();
  await expect.poll(() => database.db.concurrency).toBe(6);
  await first.stop();
  expect(await database.db.rows("SELECT 1 FROM leases WHERE name LIKE 'm:%'")).toEqual([]);
});

test('no more statements than the share are under way at once', async () => {
  const { db } = database;
  db.concurrency = 2;
  let most = 0;
  const watch = async () => {
    const rows = await other.rows<{ info: string | null }>(
      "SELECT INFO AS info FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(0.05)%'",
    );
    most = Math.max(most, rows.length);
  };
  let isDone = false;
  const all = Promise.all(Array.from({ length: 12 }, () => db.first('SELECT SLEEP(0.05)'))).then(() => {
    isDone = true;
  });
  while (!isDone) await watch();
  await all;
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(2);
});

test('a share is never so small that a process could wait for itself, nor more than its own connections', () => {
  expect(shareOf(8, 100, 6)).toBe(2);
  expect(shareOf(100, 3, 6)).toBe(6);
  expect(shareOf(12, 4, 6)).toBe(3);
});
