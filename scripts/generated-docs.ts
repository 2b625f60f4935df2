/**
 * Documentation that is made from code: docs/errors.md from the registry, docs/configuration.md from the schema, README's figures from the last
 * run of the bench, docs/sql.md from the statements.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../src/config.ts';
import { errorKinds } from '../src/errors.ts';
import { insertBenchTable } from './bench-table.ts';
import { insertCapacityPlan } from './capacity-plan.ts';
import { insertSizingTable } from './sizing-table.ts';
import { readStatements } from './sql/read-statements.ts';
import { renderSqlPage } from './sql/sql-page.ts';
import { readSchema, readTables } from './sql/tables.ts';

export interface GeneratedFile {
  readonly path: string;
  readonly expected: string;
  /** What is there now; undefined without the file. */
  readonly actual: string | undefined;
}

const configMarkers = ['<!-- config:start -->', '<!-- config:end -->'] as const;

/** Throws when a page that is there lacks its markers. */
export async function listGeneratedFiles(root: string): Promise<readonly GeneratedFile[]> {
  const changed = (path: string, change: (page: string) => string): readonly GeneratedFile[] => {
    const actual = readFile(join(root, path));
    return actual === undefined ? [] : [{ path, expected: change(actual), actual }];
  };
  const whole = (path: string, expected: string) => ({ path, expected, actual: readFile(join(root, path)) });
  const sqlPage = renderSqlPage(readStatements(root), readTables(await readSchema()));
  return [
    ...changed('docs/operations.md', (page) => insertCapacityPlan(insertSizingTable(page, root), root)),
    ...changed('docs/configuration.md', insertConfigTable),
    ...changed('README.md', (page) => insertBenchTable(page, root)),
    whole('docs/sql.md', sqlPage),
    whole('docs/errors.md', renderErrorsPage()),
  ];
}

export function renderErrorsPage(): string {
  const rows = Object.entries(errorKinds).map(
    ([code, { status, retry, title }]) =>
      `| <a id="${code}"></a>\`${code}\` | ${status} | ${retry} | ${title} |`,
  );
  return `${errorsIntroduction}\n${rows.join('\n')}\n`;
}

/** The page with the present table between its markers. */
export function insertConfigTable(page: string): string {
  const [start, end] = configMarkers.map((marker) => page.indexOf(marker));
  if (start === undefined || end === undefined || start < 0 || end < start) {
    throw new Error(
      `docs/configuration.md needs a line ${configMarkers[0]} and after it a line ${configMarkers[1]}`,
    );
  }
  return `${page.slice(0, start)}${configMarkers[0]}\n${renderConfigTable()}${page.slice(end)}`;
}

export function renderConfigTable(): string {
  const { properties = {}, required = [] } = z.toJSONSchema(configSchema, { io: 'input' });
  const rows = Object.entries(properties).map(([name, property]) =>
    typeof property === 'object'
      ? `| \`${name}\` | ${describeDefault(property, required.includes(name))} | ${describe(property)} |`
      : '',
  );
  return `| variable | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

const errorsIntroduction = `# Errors

Made from \`src/errors.ts\` by \`npm run docs\`. Every error of the API is a problem document (RFC 9457) with one of these codes:

\`\`\`json
{
  "type": "/docs#error-invalid_request",
  "title": "The request has invalid fields",
  "status": 422,
  "instance": "/v1/lists",
  "code": "invalid_request",
  "request_id": "req_2hXcGk1tB9xZ7QeL",
  "errors": [{ "pointer": "/name", "detail": "is required" }]
}
\`\`\`

\`code\` is stable and made for programs, \`title\` and \`detail\` are for people. \`errors\` lists every wrong field: \`pointer\` is a
JSON pointer into the body, \`parameter\` names a path or query parameter or a header. \`request_id\` is in the server's log.

Try again: \`never\`, the same call fails again; \`later\`, it may pass (after \`Retry-After\` seconds where there is one); \`now\`, at once.

| code | status | try again | meaning |
|---|---|---|---|`;

type JsonSchema = z.core.JSONSchema.JSONSchema;

function describeDefault(property: JsonSchema, isRequired: boolean): string {
  if (property.default !== undefined) return `\`${property.default}\``;
  return isRequired ? 'required' : 'none';
}

function describe({ description = '', minimum, maximum, enum: options }: JsonSchema): string {
  const range = minimum !== undefined && maximum !== undefined ? ` (${minimum} to ${maximum})` : '';
  const choice = options ? ` (${options.join(', ')})` : '';
  return `${description}${range}${choice}`.replaceAll('|', '\\|');
}

function readFile(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
