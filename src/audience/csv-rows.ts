/** A CSV file as rows: the header names the fields, each further record is one profile. */
import type { TenantId } from '../ids.ts';
import { hexAddressHash, parseAddress } from './address.ts';
import { type AttributeValue, findExcessBytes, maxAttributeBytes } from './attributes.ts';
import { type Column, type CsvDelimiter, findDelimiter, nameOf, readHeader } from './csv-header.ts';
import { type CsvCutter, type CsvRecord, createCsvCutter } from './csv-records.ts';
import {
  ImportFailure,
  type ImportRow,
  notUtf8,
  type RowReader,
  replacementCharacter,
} from './import-row.ts';
import type { ProfilePatch } from './profile.ts';
import { describeAddressProblem, isPhone } from './profile-input.ts';
import { createLineSplitter, type Line } from './text-lines.ts';
import { isTimeZone } from './time-zone.ts';

export interface CsvReaderOptions {
  readonly tenantId: TenantId;
  readonly addressKey: Buffer;
  /** Found from the header line when absent. */
  readonly delimiter?: CsvDelimiter | undefined;
}

export function createCsvReader(options: CsvReaderOptions): RowReader {
  const splitter = createLineSplitter();
  let cutter: CsvCutter | undefined;
  let columns: readonly Column[] | undefined;
  let blankLines = 0;

  function readLines(lines: readonly Line[]): ImportRow[] {
    const rest = cutter ? lines : skipBlank(lines);
    if (rest.length === 0) return [];
    cutter ??= createCsvCutter(options.delimiter ?? findDelimiter(rest[0] ?? ''), blankLines + 1);
    return readRecords(cutter.push(rest));
  }

  function skipBlank(lines: readonly Line[]): readonly Line[] {
    const first = lines.findIndex((line) => line === undefined || line.trim() !== '');
    blankLines += first < 0 ? lines.length : first;
    return first < 0 ? [] : lines.slice(first);
  }

  function readRecords(records: readonly CsvRecord[]): ImportRow[] {
    const [first] = records;
    if (!first) return [];
    const rows = columns ? records : records.slice(1);
    const known = columns ?? readHeaderRecord(first);
    columns = known;
    const read: ImportRow[] = [];
    for (const record of rows) {
      const row = toRow(record, known, options);
      if (row) read.push(row);
    }
    return read;
  }

  return {
    push: (text) => readLines(splitter.push(text)),
    end() {
      const rows = [...readLines(splitter.end()), ...readRecords(cutter?.end() ?? [])];
      if (!columns) throw new ImportFailure('The file is empty: the first line must name the columns');
      return rows;
    },
  };
}

function readHeaderRecord(record: CsvRecord): readonly Column[] {
  if ('problem' in record) throw new ImportFailure(`The first line ${record.problem}`);
  return readHeader(record.fields);
}

/** Undefined for a row of nothing but delimiters, as spreadsheets leave them behind their last. */
function toRow(
  record: CsvRecord,
  columns: readonly Column[],
  options: CsvReaderOptions,
): ImportRow | undefined {
  const { line } = record;
  if ('problem' in record) return { kind: 'rejected', line, detail: record.problem };
  const { fields } = record;
  if (fields.every((field) => field === '')) return undefined;
  if (fields.length !== columns.length) {
    const detail = `has ${fields.length} columns where the header has ${columns.length}`;
    return { kind: 'rejected', line, detail };
  }
  return toProfileRow(line, fields, { columns, options });
}

interface Draft {
  email: string;
  phone?: string;
  timeZone?: string;
  readonly attributes: Record<string, AttributeValue>;
  length: number;
}

function toProfileRow(
  line: number,
  fields: readonly string[],
  { columns, options }: { columns: readonly Column[]; options: CsvReaderOptions },
): ImportRow {
  const draft: Draft = { email: '', attributes: {}, length: 0 };
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    const detail = readField(column, fields[i] as string, draft);
    if (detail) return { kind: 'rejected', line, field: nameOf(column), detail };
  }
  // The exact size costs a pass of its own, which short rows need not pay.
  const excess = draft.length * 6 > maxAttributeBytes ? findExcessBytes(draft.attributes) : undefined;
  if (excess) return { kind: 'rejected', line, detail: `has attributes whose sum ${excess.detail}` };
  return { kind: 'profile', line, patch: toPatch(draft, options) };
}

/** Puts a field into the draft, or says what is wrong with it. Empty means absent, except for the address. */
function readField(column: Column, field: string, draft: Draft): string | undefined {
  if (field.includes(replacementCharacter)) return notUtf8;
  if (column.kind === 'email') return readEmail(field, draft);
  if (field === '') return undefined;
  if (column.kind === 'attribute') {
    draft.attributes[column.name] = field;
    draft.length += field.length + column.name.length;
    return undefined;
  }
  return column.kind === 'phone' ? readPhone(field.trim(), draft) : readTimeZone(field.trim(), draft);
}

function readEmail(field: string, draft: Draft): string | undefined {
  const address = parseAddress(field);
  if (address.kind === 'invalid') return describeAddressProblem(address.reason);
  draft.email = address.email;
  return undefined;
}

function readPhone(field: string, draft: Draft): string | undefined {
  if (!isPhone(field)) return 'is not a phone number in E.164: + and 7 to 15 digits';
  draft.phone = field;
  return undefined;
}

function readTimeZone(field: string, draft: Draft): string | undefined {
  if (!isTimeZone(field)) return 'is not an IANA time zone';
  draft.timeZone = field;
  return undefined;
}

function toPatch(draft: Draft, { tenantId, addressKey }: CsvReaderOptions): ProfilePatch {
  const { email, phone, timeZone, attributes } = draft;
  return { email, hexHash: hexAddressHash(addressKey, tenantId, email), phone, timeZone, attributes };
}
