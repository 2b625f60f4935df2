/**
 * Writes that could go by a key whose columns are changed.
 *
 * MySQL and MariaDB may well choose such a key although the whole primary key is named: with few rows both look alike. Who then waits for a row that
 * its holder is moving within that key (old entry deleted, new one inserted before it) finds nothing once the wait is over: the write is lost
 * without an error. Other times the two deadlock. So the key is said.
 */
import type { Statement } from './read-statements.ts';
import type { Table } from './tables.ts';

const update = /^UPDATE (\w+) (?!FORCE INDEX)(?:\w+ )?SET /;
const lockingRead = /^\(?SELECT .*? FROM (\w+) (?!(?:\w+ )?FORCE INDEX)\b.*(?:FOR UPDATE|LOCK IN SHARE MODE)/;

/** Answers the table, where the statement takes rows of it by whatever key the server likes best. */
export function unforcedIn({ text }: Statement, moving: readonly Table[]): string | undefined {
  const named = (match: RegExpExecArray | null) => moving.find(({ name }) => name === match?.[1]);
  const updated = named(update.exec(text));
  const read = named(lockingRead.exec(text));
  return updated?.name ?? (read && !isConstant(text, read) ? read.name : undefined);
}

/** A read of one whole primary key is looked up before anything is planned. An update is planned all the same. */
function isConstant(text: string, { keys }: Table): boolean {
  const plain = text.replace(/«[^»]*»/g, '');
  const columns = keys.find(({ name }) => name === 'PRIMARY')?.columns ?? [];
  return columns.every((column) => new RegExp(`(?:WHERE|AND) (?:\\w+\\.)?${column} = \\?`).test(plain));
}

/** Tables with a key, other than the primary one, of which some statement sets a column. */
export function movingTablesOf(statements: readonly Statement[], tables: readonly Table[]): readonly Table[] {
  return tables.filter((table) => isMoving(table, statements));
}

function isMoving({ name, keys }: Table, statements: readonly Statement[]): boolean {
  const columns = keys.filter((key) => key.name !== 'PRIMARY').flatMap((key) => key.columns);
  const updates = statements.filter(({ text }) => text.startsWith(`UPDATE ${name} `));
  return updates.some(({ text }) => columns.some((column) => setsColumn(text, column)));
}

function setsColumn(text: string, column: string): boolean {
  const assignments = / SET (.*?)(?: WHERE |$)/.exec(text)?.[1] ?? '';
  return new RegExp(`(?:^|[ ,.])${column} = `).test(assignments);
}
