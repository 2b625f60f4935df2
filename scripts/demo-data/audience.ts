/**
 * An audience as a CSV file, made up as it is read: any number of recipients in constant memory, the same bytes for the same options, and
 * what an importer must make of them known beforehand, row by row.
 */
import { columns, type DemoProfile, profileAt } from './demo-profile.ts';

export interface AudienceOptions {
  /** Valid rows, each with an address of its own. */
  readonly recipients: number;
  /** Default 1. */
  readonly seed?: number;
  /** Rows that are wrong or repeat an address, as a share of `recipients`, in addition to them. Default 0.004. */
  readonly badRows?: number;
}

/** What is wrong with a row; they take turns. A duplicate is an address in other letters, whose row is otherwise right. */
export const badRowKinds = [
  'broken_address',
  'missing_column',
  'invalid_utf8',
  'duplicate',
  'no_address',
] as const;
export type BadRowKind = (typeof badRowKinds)[number];

export interface ExpectedImport {
  /** Data rows in the file. */
  readonly rows: number;
  /** Profiles after the import: one per address, its case ignored. */
  readonly profiles: number;
  /** Rows that must be refused. */
  readonly rejected: number;
  /** Rows that are right and repeat an address. */
  readonly duplicates: number;
  readonly badRows: Readonly<Record<BadRowKind, number>>;
}

const chunkBytes = 64 * 1024;
const brokenAddresses = [
  'fake.no.at.sign',
  'fake two words@gmail.com',
  'fake@',
  'fake..dots@gmail.com',
  'fake@@gmail.com',
];

/** The file, in pieces of about 64 KB, header line first. */
export function* audienceCsv(options: AudienceOptions): Generator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for (const row of rows(options)) {
    pieces.push(row);
    length += row.length;
    if (length < chunkBytes) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    length = 0;
  }
  yield Buffer.concat(pieces);
}

export function expectedImport(options: AudienceOptions): ExpectedImport {
  const count = countBadRows(options);
  const ofKind = (at: number): number =>
    Math.floor((count + badRowKinds.length - 1 - at) / badRowKinds.length);
  const badRows = Object.fromEntries(badRowKinds.map((kind, at) => [kind, ofKind(at)])) as Record<
    BadRowKind,
    number
  >;
  return {
    rows: options.recipients + count,
    profiles: options.recipients,
    rejected: count - badRows.duplicate,
    duplicates: badRows.duplicate,
    badRows,
  };
}

/** The addresses of all profiles, in the order of the file, in the letters of their first row. */
export function* audienceAddresses({ recipients, seed = 1 }: AudienceOptions): Generator<string> {
  for (let number = 0; number < recipients; number++) yield profileAt(seed, number).email;
}

function* rows(options: AudienceOptions): Generator<Buffer> {
  const { recipients, seed = 1 } = options;
  const badRows = countBadRows(options);
  let written = 0;
  yield Buffer.from(`${columns.join(',')}\r\n`);
  for (let number = 0; number < recipients; number++) {
    yield Buffer.from(toLine(profileAt(seed, number)));
    // Evenly over the file, each behind the row it is made from.
    while (written < badRows && written * recipients < (number + 1) * badRows) {
      yield badRow(written++, { seed, number });
    }
  }
}

function countBadRows({ recipients, badRows = 0.004 }: AudienceOptions): number {
  return Math.round(recipients * badRows);
}

function badRow(turn: number, { seed, number }: { seed: number; number: number }): Buffer {
  const kind = badRowKinds[turn % badRowKinds.length] as BadRowKind;
  const round = Math.floor(turn / badRowKinds.length);
  const profile = profileAt(seed, number);
  switch (kind) {
    case 'broken_address':
      return Buffer.from(
        toLine({ ...profile, email: brokenAddresses[round % brokenAddresses.length] ?? '' }),
      );
    case 'no_address':
      return Buffer.from(toLine({ ...profile, email: '' }));
    case 'missing_column':
      return Buffer.from(toLine(profile, columns.slice(0, -1)));
    case 'duplicate':
      return Buffer.from(toLine(inCapitals(profileAt(seed, Math.floor(number / 2)))));
    case 'invalid_utf8':
      // What a spreadsheet saves that knows only Latin-1.
      return Buffer.from(toLine({ ...profile, first_name: 'José', ...asciiOnly }), 'latin1');
  }
}

function inCapitals(profile: DemoProfile): DemoProfile {
  return { ...profile, email: profile.email.toUpperCase() };
}

/** Fields that would not survive Latin-1 anyway. */
const asciiOnly = {
  last_name: 'Test',
  city: '',
  last_order_product: '',
  recently_viewed: '',
  delivery_note: '',
};

function toLine(profile: DemoProfile, names: readonly (keyof DemoProfile)[] = columns): string {
  return `${names.map((name) => quote(profile[name])).join(',')}\r\n`;
}

/** RFC 4180: quoted when it must be. */
function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
