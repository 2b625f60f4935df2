/** A file of one JSON object per line, each shaped like the body of `POST /v1/profiles`. */
import { hasForbiddenName } from '../http/json-text.ts';
import type { TenantId } from '../ids.ts';
import { type ImportRow, maxRowLength, notUtf8, type RowReader, replacementCharacter } from './import-row.ts';
import { parsePlainProfile, parseProfile, toPatch } from './profile-input.ts';
import { createLineSplitter, type Line } from './text-lines.ts';

export interface NdjsonReaderOptions {
  readonly tenantId: TenantId;
  readonly addressKey: Buffer;
}

export function createNdjsonReader(options: NdjsonReaderOptions): RowReader {
  const splitter = createLineSplitter();
  let line = 0;

  function readLines(lines: readonly Line[]): ImportRow[] {
    const rows: ImportRow[] = [];
    for (const text of lines) {
      line++;
      if (text === undefined || text.trim() !== '') rows.push(toRow(line, text, options));
    }
    return rows;
  }

  return {
    push: (text) => readLines(splitter.push(text)),
    end: () => readLines(splitter.end()),
  };
}

function toRow(line: number, text: Line, options: NdjsonReaderOptions): ImportRow {
  if (text === undefined) return reject(line, `is longer than ${maxRowLength} characters`);
  if (text.includes(replacementCharacter)) return reject(line, notUtf8);
  if (hasForbiddenName(text)) return reject(line, 'has the name `__proto__`, which is not taken');
  const value = parseJson(text);
  if (value === undefined) return reject(line, 'is not JSON');
  const plain = parsePlainProfile(value, text.length);
  if (plain) return { kind: 'profile', line, patch: toPatch(plain, options.tenantId, options.addressKey) };
  return toProfileRow(line, value, options);
}

function toProfileRow(
  line: number,
  value: unknown,
  { tenantId, addressKey }: NdjsonReaderOptions,
): ImportRow {
  const parsed = parseProfile(value, '');
  if (parsed.kind === 'profile')
    return { kind: 'profile', line, patch: toPatch(parsed.input, tenantId, addressKey) };
  const [error] = parsed.errors;
  const detail = error?.detail ?? 'is not a profile';
  return error?.pointer ? { kind: 'rejected', line, field: error.pointer, detail } : reject(line, detail);
}

function reject(line: number, detail: string): ImportRow {
  return { kind: 'rejected', line, detail };
}

/** JSON has no undefined, which therefore means that it isn't JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
