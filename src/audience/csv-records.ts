/**
 * Lines to CSV records (RFC 4180), such that one broken row costs one row.
 *
 * A parser that reads on after a quote that is never closed takes the following rows for its content and drops them
 * with it (csv-parse's own recovery does). So the records are cut here, by counting quotes: a line with an odd number
 * goes on until another one. When that never comes, or when what was cut doesn't parse, only the first line is reported and the
 * lines behind it are read anew. Lines without quotes, nearly all of most files, are split; csv-parse reads the rest.
 */
import { parse } from 'csv-parse/sync';
import { maxRowLength } from './import-row.ts';
import type { Line } from './text-lines.ts';

export type CsvRecord =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

export interface CsvCutter {
  push(lines: readonly Line[]): CsvRecord[];
  end(): CsvRecord[];
}

export function createCsvCutter(delimiter: string, firstLine = 1): CsvCutter {
  let records: (CsvRecord | Quoted)[] = [];
  let open: NumberedLine[] = [];
  let openLength = 0;
  let nextLine = firstLine;

  function take({ line, text }: NumberedLine): void {
    if (open.length > 0) takeInQuotes({ line, text });
    else if (text === undefined) records.push({ line, problem: tooLong });
    else if (!text.includes('"')) takePlain(line, text);
    else if (hasEvenQuotes(text)) records.push({ line, quoted: text });
    else openQuotes({ line, text });
  }

  function takePlain(line: number, text: string): void {
    if (text.trim() !== '') records.push({ line, fields: text.split(delimiter) });
  }

  function openQuotes(first: NumberedLine): void {
    open = [first];
    openLength = first.text?.length ?? 0;
  }

  function takeInQuotes(next: NumberedLine): void {
    open.push(next);
    openLength += 1 + (next.text?.length ?? 0);
    if (next.text === undefined || openLength > maxRowLength) breakOpen(unclosed);
    else if (!hasEvenQuotes(next.text)) closeQuotes();
  }

  function closeQuotes(): void {
    const [first] = open;
    const fields = parseRecord(open.map(({ text }) => text).join('\n'), delimiter);
    if (first && fields) {
      records.push({ line: first.line, fields });
      open = [];
    } else breakOpen(unclosed);
  }

  /** Reports the first line and takes the others as if it had not been there. */
  function breakOpen(problem: string): void {
    const [first, ...others] = open;
    open = [];
    if (first) records.push({ line: first.line, problem });
    for (const other of others) take(other);
  }

  function takeRecords(): CsvRecord[] {
    const cut = records;
    records = [];
    return parseQuoted(cut, delimiter);
  }

  return {
    push(lines) {
      for (const text of lines) take({ line: nextLine++, text });
      return takeRecords();
    },
    end() {
      // What is read anew may open quotes of its own; each round reports one line, so this ends.
      while (open.length > 0) breakOpen(unclosed);
      return takeRecords();
    },
  };
}

interface NumberedLine {
  readonly line: number;
  readonly text: Line;
}

/** A record on one line whose quotes are still to be read. */
interface Quoted {
  readonly line: number;
  readonly quoted: string;
}

const tooLong = `is longer than ${maxRowLength} characters`;
const unclosed = 'has a quote that is not closed';
const misplaced =
  'has quotes in the wrong place: a field with quotes in it must be quoted whole, with its own quotes doubled';

function hasEvenQuotes(text: string): boolean {
  let isEven = true;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) isEven = !isEven;
  return isEven;
}

/** In one call of the parser when all are well-formed, else one by one. */
function parseQuoted(records: readonly (CsvRecord | Quoted)[], delimiter: string): CsvRecord[] {
  const quoted = records.filter((record) => 'quoted' in record);
  const parsed = parseAll(quoted.map((record) => record.quoted).join('\n'), delimiter);
  const isWhole = parsed?.length === quoted.length;
  let next = 0;
  return records.map((record) => {
    if (!('quoted' in record)) return record;
    const fields = isWhole ? parsed[next++] : parseRecord(record.quoted, delimiter);
    return fields ? { line: record.line, fields } : { line: record.line, problem: misplaced };
  });
}

function parseRecord(text: string, delimiter: string): string[] | undefined {
  const records = parseAll(text, delimiter);
  return records?.length === 1 ? records[0] : undefined;
}

function parseAll(text: string, delimiter: string): string[][] | undefined {
  if (text === '') return [];
  try {
    return parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true }) as string[][];
  } catch {
    return undefined;
  }
}
