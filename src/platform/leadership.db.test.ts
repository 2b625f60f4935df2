import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitForLockWait } from '../testing/lock-wait.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import type { Clock } from './clock.ts';
import { createLeadership, type Leadership } from './leadership.ts';

let database: TestDatabase;
let clock: Clock & { advance(ms: number): void };
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.db.write('DELETE FROM leases');
  let now = 1_000;
  clock = {
    now: () => now,
    monotonic: () => now,
    advance(ms) {
      now += ms;
    },
  };
});
afterAll(() => database.drop());

const create = (owner: string): Leadership =>
  createLeadership({ db: database.db, clock, name: 'test', owner });
const endTerm = () => database.db.write('UPDATE leases SET until = NOW(3) - INTERVAL 1 SECOND');
const assertLeading = (one: Leadership) => database.db.transaction((tx) => one.assertLeading(tx));
const readLease = () =>
  database.db.first<{ owner: string; epoch: number }>('SELECT owner, epoch FROM leases');

test('of many that begin at once, one leads', async () => {
  const all = Array.from({ length: 8 }, (_, i) => create(`p${i}`));
  const leads = await Promise.all(all.map((one) => one.lead()));
  expect(leads.filter(Boolean)).toHaveLength(1);
});

test('the leader renews, the others stand by; it is asked again only when it matters', async () => {
  const [a, b] = [create('a'), create('b')];
  expect([await a.lead(), await b.lead()]).toEqual([true, false]);
  clock.advance(2_000);
  expect([await a.lead(), await b.lead()]).toEqual([true, false]);
  await database.db.write("UPDATE leases SET owner = 'c'");
  expect(await a.lead(), 'within a quarter of its term it need not ask').toBe(true);
  clock.advance(2_000);
  expect(await a.lead()).toBe(false);
});

test('when the leader is gone for a term, another leads, at a higher epoch', async () => {
  const [a, b] = [create('a'), create('b')];
  await a.lead();
  await endTerm();
  expect(await b.lead()).toBe(true);
  expect(await readLease()).toEqual({ owner: 'b', epoch: 2 });
});

test('a leader that slept through its term does not think it leads, and its transactions are refused', async () => {
  const [a, b] = [create('a'), create('b')];
  await a.lead();
  await endTerm();
  await b.lead();
  await expect(assertLeading(a)).rejects.toThrow('no longer leading');
  expect(await a.lead()).toBe(false);
  await assertLeading(b);
});

test('nobody takes the lead while a transaction that asserted it is open', async () => {
  const { db } = database;
  const [a, b] = [create('a'), create('b')];
  await a.lead();
  let taking: Promise<boolean> | undefined;
  await db.transaction(async (tx) => {
    await a.assertLeading(tx);
    taking = b.lead();
    await waitForLockWait(db, 'INSERT INTO leases');
  });
  expect(await taking).toBe(false);
});

test('resigning hands over at once, is harmless for one that does not lead, and never throws', async () => {
  const [a, b] = [create('a'), create('b')];
  await a.lead();
  await b.lead();
  await b.resign();
  expect(await readLease()).toMatchObject({ owner: 'a' });
  await a.resign();
  await database.db.first('SELECT SLEEP(0.002)');
  clock.advance(1_000);
  expect(await b.lead()).toBe(true);
  const away = createLeadership({
    db: { ...database.db, write: () => Promise.reject(new Error('away')) },
    ...{ clock, name: 'test', owner: 'a' },
  });
  await away.resign();
});
