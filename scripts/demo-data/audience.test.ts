import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { type AudienceOptions, audienceAddresses, audienceCsv, expectedImport } from './audience.ts';
import { columns, type DemoProfile } from './demo-profile.ts';

function readCsv(options: AudienceOptions): Buffer {
  return Buffer.concat([...audienceCsv(options)]);
}

function readRows(options: AudienceOptions): string[][] {
  return parse(readCsv(options), { relax_column_count: true }) as string[][];
}

function isSound(row: string[]): boolean {
  const [email = ''] = row;
  return (
    row.length === columns.length &&
    !row.join().includes('\ufffd') &&
    /^[^\s@]+@[^\s@]+\.[a-z]+$/i.test(email) &&
    !email.includes('..')
  );
}

describe('an audience', () => {
  const options = { recipients: 20_000, badRows: 0.01 };
  const [header, ...rows] = readRows(options);
  const sound = rows.filter(isSound);
  const profiles = sound.map(
    (row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])) as DemoProfile,
  );

  test('holds exactly what it says', () => {
    const expected = expectedImport(options);
    expect(header).toEqual([...columns]);
    expect(rows).toHaveLength(expected.rows);
    expect(rows.length - sound.length).toBe(expected.rejected);
    const addresses = sound.map(([email = '']) => email.toLowerCase());
    expect(new Set(addresses).size).toBe(expected.profiles);
    expect(addresses.length - new Set(addresses).size).toBe(expected.duplicates);
    expect(expected).toEqual({
      rows: 20_200,
      profiles: 20_000,
      rejected: 160,
      duplicates: 40,
      badRows: { broken_address: 40, missing_column: 40, invalid_utf8: 40, duplicate: 40, no_address: 40 },
    });
  });

  test('names its addresses beforehand', () => {
    const expected = [...audienceAddresses(options)];
    expect(expected).toHaveLength(20_000);
    expect(new Set(sound.map(([email = '']) => email.toLowerCase()))).toEqual(new Set(expected));
  });

  test('has bad rows of every kind', () => {
    const bad = rows.filter((row) => !isSound(row));
    expect(bad.filter((row) => row.length !== columns.length)).toHaveLength(40);
    expect(bad.filter((row) => row.join().includes('Jos\ufffd'))).toHaveLength(40);
    expect(bad.filter(([email]) => email === '')).toHaveLength(40);
    expect(new Set(bad.map(([email]) => email))).toContain('fake.no.at.sign');
  });

  test('is nobody real, in addresses every server takes', () => {
    for (const { email } of profiles) expect(email).toMatch(/^fake[._-][a-z0-9._'-]+@[a-z0-9.-]+$/i);
  });

  test('has its mailboxes where people have them', () => {
    const share = (...domains: string[]): number =>
      (100 *
        profiles.filter(({ email }) => domains.includes(email.toLowerCase().split('@')[1] ?? '')).length) /
      profiles.length;
    expect(share('gmail.com')).toBeCloseTo(50.1, -0.5);
    expect(share('yahoo.com', 'aol.com', 'ymail.com', 'rocketmail.com')).toBeCloseTo(22.6, -0.5);
    expect(share('hotmail.com', 'outlook.com', 'live.com', 'msn.com')).toBeCloseTo(12.4, -0.5);
    expect(share('comcast.net')).toBeCloseTo(2, -0.5);
    expect(share('icloud.com', 'me.com', 'mac.com')).toBeCloseTo(1.6, -0.5);
    expect(share('att.net', 'sbcglobal.net', 'bellsouth.net')).toBeCloseTo(1.1, -0.5);
    const tail = profiles
      .filter(({ email }) => email.toLowerCase().endsWith('.example'))
      .map(({ email }) => email.split('@')[1]);
    expect((100 * tail.length) / profiles.length).toBeCloseTo(10.2, -0.5);
    expect(new Set(tail).size).toBeGreaterThan(500);
  });

  test('has the names, gaps and texts that break things', () => {
    const all = (name: keyof DemoProfile): Set<string> => new Set(profiles.map((profile) => profile[name]));
    for (const name of ['José', 'Zoë', 'Łukasz', '李', 'Åse', '']) expect(all('first_name')).toContain(name);
    for (const name of ["O'Brien", "D'Angelo", '𠮷田', 'Weiß']) expect(all('last_name')).toContain(name);
    expect(all('loyalty_tier')).toEqual(new Set(['gold', 'silver', 'none', '']));
    expect([...all('delivery_note')].some((note) => note.includes('\n') && note.includes('"'))).toBe(true);
    expect([...all('last_order_product')].some((product) => product.includes(','))).toBe(true);
    for (const zone of all('time_zone'))
      if (zone !== '') expect(() => new Intl.DateTimeFormat('en', { timeZone: zone })).not.toThrow();
  });
});

describe('the file', () => {
  test('is the same for the same seed, and another for another', () => {
    const options = { recipients: 500, seed: 7 };
    expect(readCsv(options).equals(readCsv(options))).toBe(true);
    expect(readCsv({ recipients: 500, seed: 8 }).equals(readCsv(options))).toBe(false);
  });

  test('comes in pieces', () => {
    const sizes = [...audienceCsv({ recipients: 5_000 })].map(({ length }) => length);
    expect(sizes.length).toBeGreaterThan(5);
    expect(Math.max(...sizes)).toBeLessThan(66_000);
  });

  test.each([0, 1, 2, 3, 10, 999])(
    'is complete with %i recipients and any share of bad rows',
    (recipients) => {
      for (const badRows of [0, 0.1, 0.5, 2]) {
        const expected = expectedImport({ recipients, badRows });
        const [, ...rows] = readRows({ recipients, badRows });
        expect(rows).toHaveLength(expected.rows);
        expect(rows.filter((row) => !isSound(row))).toHaveLength(expected.rejected);
        expect(Object.values(expected.badRows).reduce((sum, count) => sum + count, 0)).toBe(
          expected.rows - recipients,
        );
      }
    },
  );
});
