/** The first row of a CSV file: which column is what. */
import { findNameProblem, maxAttributes } from './attributes.ts';
import { ImportFailure } from './import-row.ts';

export type Column =
  | { readonly kind: 'email' | 'phone' | 'time_zone' }
  | { readonly kind: 'attribute'; readonly name: string };

export const csvDelimiters = [',', ';', '\t', '|'] as const;
export type CsvDelimiter = (typeof csvDelimiters)[number];

/** The one that the header line holds most of outside quotes; a comma when it holds none. */
export function findDelimiter(headerLine: string): CsvDelimiter {
  const unquoted = headerLine.replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => unquoted.split(delimiter).length;
  return csvDelimiters.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

/** `email`, `phone` and `time_zone` in any case; the others become attributes under their exact names. Throws `ImportFailure`. */
export function readHeader(names: readonly string[]): readonly Column[] {
  const columns = names.map((name, index) => readColumn(name.trim(), index + 1));
  assertUnique(columns.map(nameOf));
  if (!columns.some((column) => column.kind === 'email')) {
    throw new ImportFailure('The first line must name the columns, and one of them must be "email"');
  }
  if (columns.length > maxAttributes) throw new ImportFailure(`More than ${maxAttributes} columns`);
  return columns;
}

export function nameOf(column: Column): string {
  return column.kind === 'attribute' ? column.name : column.kind;
}

function readColumn(name: string, number: number): Column {
  const kind = ownColumns.get(name.toLowerCase());
  if (kind) return { kind };
  if (name === '') throw new ImportFailure(`Column ${number} has no name in the first line`);
  const problem = findNameProblem(name);
  if (problem) throw new ImportFailure(`Column ${number} ${problem}`);
  return { kind: 'attribute', name };
}

const ownColumns = new Map<string, 'email' | 'phone' | 'time_zone'>([
  ['email', 'email'],
  ['phone', 'phone'],
  ['time_zone', 'time_zone'],
]);

function assertUnique(names: readonly string[]): void {
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) throw new ImportFailure(`Column ${twice + 1} has the name of an earlier one`);
}
