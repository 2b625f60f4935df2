import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, type TransportId } from '../ids.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../testing/test-database.ts';
import { transportLimits } from '../transports/smtp-settings.ts';
import { createDestinationLimitsSource, type DestinationLimitsSource } from './destination-limits-source.ts';
import { findOwnTransport, insertTransport, updateTransport } from './transport-store.ts';

let database: TestDatabase;
let source: DestinationLimitsSource;
beforeAll(async () => {
  database = await createTestDatabase();
  source = createDestinationLimitsSource({ db: database.db, log: silentLog });
});
afterAll(() => database.drop());

const settings = { host: 'a.example', port: 25, tls: 'none', tlsVerify: true } as const;

async function insert(limits: object, names: readonly string[]): Promise<{ id: TransportId; of: number[] }> {
  const { db } = database;
  const id = newId('transport');
  const fields = { name: 't', settings, secret: null, destinationMode: 'provider' as const };
  await insertTransport(db, { id, owner: null }, { ...fields, limits: transportLimits.parse(limits) });
  const of: number[] = [];
  for (const name of names) {
    const { insertId } = await db.write('INSERT INTO destinations (transport_id, name) VALUES (?, ?)', [
      id,
      name,
    ]);
    of.push(insertId);
  }
  return { id, of };
}

const attempted = (destinationId: number, attempts: number, day = 'UTC_DATE()') =>
  database.db.write(`INSERT INTO destination_days (destination_id, day, attempts) VALUES (?, ${day}, ?)`, [
    destinationId,
    attempts,
  ]);

test('nothing goes to a destination before its limits are known, and one that does not exist has none', async () => {
  const { of } = await insert({ perSecond: 9 }, ['gmail']);
  const id = of[0] as number;
  expect(source.limitsOf(id)).toEqual({ perDay: 0 });
  expect(source.isCounted(id)).toBe(true);
  source.limitsOf(987_654);
  await source.refresh();
  expect(source.limitsOf(id)).toEqual({ perSecond: 9, connections: 5, perDay: undefined });
  expect(source.isCounted(id)).toBe(false);
  expect(source.limitsOf(987_654)).toEqual({});
});

test('a changed transport is read anew', async () => {
  const { id, of } = await insert({}, ['orange']);
  await source.refresh(of);
  expect(source.limitsOf(of[0] as number).connections).toBe(2);
  const seen = await findOwnTransport(database.db, null, id);
  if (!seen) throw new Error('no transport');
  await updateTransport(database.db, seen, { ...seen, limits: { ...seen.limits, connections: 8 } });
  await source.refresh();
  expect(source.limitsOf(of[0] as number).connections).toBe(8);
});

test('a quota is what is left today, of the destination and of the transport', async () => {
  const { of } = await insert({ perDay: 100, destinations: { gmail: { perDay: 30 } } }, ['gmail', 'yahoo']);
  const [gmail, yahoo] = of as [number, number];
  await attempted(gmail, 10);
  await attempted(yahoo, 40);
  await attempted(yahoo, 5_000, 'UTC_DATE() - INTERVAL 1 DAY');
  await source.refresh(of);
  expect(source.isCounted(gmail)).toBe(true);
  // Not before the day's attempts were read: the two are asked for, so they share what is left.
  expect(of.map((id) => source.limitsOf(id).perDay)).toEqual([0, 0]);
  await source.refreshQuotas(new Map([[yahoo, 20]]));
  expect(of.map((id) => source.limitsOf(id).perDay)).toEqual([15, 35]);
});

test('a warm-up bounds the day until it is over', async () => {
  const today = new Date().toISOString().slice(0, 10);
  const running = await insert({ warmUp: { startsOn: today, firstDay: 70, growth: 2, until: 500 } }, [
    'gmail',
  ]);
  const over = await insert({ warmUp: { startsOn: '2026-01-01', firstDay: 70, growth: 2, until: 500 } }, [
    'gmail',
  ]);
  const ids = [...running.of, ...over.of];
  await source.refresh(ids);
  ids.map((id) => source.limitsOf(id));
  await source.refreshQuotas(new Map());
  expect(ids.map((id) => source.limitsOf(id).perDay)).toEqual([70, undefined]);
});
