/** What is wrong with our SQL or with the lists beside it. Nothing, or `npm run check` fails. */
import { schemaWords, unknownIn } from './constructs.ts';
import { movingTablesOf, unforcedIn } from './moving-keys.ts';
import { otherKeys } from './other-keys.ts';
import type { Statement } from './read-statements.ts';
import { looseJoins, scopeOf } from './scope.ts';
import type { Table } from './tables.ts';
import { wholeCell } from './whole-cell.ts';

export const placeOf = ({ path, name }: Statement): string => `${path}:${name}`;

/** Tables whose rows are tenants', be they led by the tenant or not. */
export function tenantTablesOf(tables: readonly Table[]): ReadonlySet<string> {
  const theirs = tables.filter(
    ({ name, keys }) => name === 'tenants' || keys.some(({ columns }) => columns[0] === 'tenant_id'),
  );
  return new Set(theirs.map(({ name }) => name));
}

export function findMistakes(statements: readonly Statement[], tables: readonly Table[]): readonly string[] {
  const tenantTables = tenantTablesOf(tables);
  return [
    ...statements.flatMap((statement) => mistakesIn(statement, tenantTables)),
    ...planMistakes(statements, tables),
    ...keyMistakes(tables),
    ...staleEntries(statements, tables),
  ];
}

function mistakesIn(statement: Statement, tenantTables: ReadonlySet<string>): readonly string[] {
  const place = placeOf(statement);
  const isListed = wholeCell.some(({ statements }) => statements.includes(place));
  const isWide = scopeOf(statement, tenantTables) === 'all tenants' && !isListed;
  return [
    ...unknownIn(statement.text).map((word) => `${place}: ${word} is not in scripts/sql/constructs.ts`),
    ...(isWide ? [`${place}: names no tenant, and is not in scripts/sql/whole-cell.ts`] : []),
    ...looseJoins(statement, tenantTables).map((table) => `${place}: joins ${table} without its tenant`),
  ];
}

function planMistakes(statements: readonly Statement[], tables: readonly Table[]): readonly string[] {
  const moving = movingTablesOf(statements, tables);
  return statements.flatMap((statement) => {
    const table = unforcedIn(statement, moving);
    return table ? [`${placeOf(statement)}: takes rows of ${table} by a key that may move: FORCE INDEX`] : [];
  });
}

/** In the statements of migrations. */
export function findSchemaMistakes(statements: readonly string[]): readonly string[] {
  const words = statements.flatMap((text) => unknownIn(text, schemaWords));
  return words.map((word) => `migrations: ${word} is not in scripts/sql/constructs.ts`);
}

function keyMistakes(tables: readonly Table[]): readonly string[] {
  return keysBesideTenant(tables)
    .filter((key) => otherKeys[key] === undefined)
    .map((key) => `${key}: does not begin with tenant_id, and is not in scripts/sql/other-keys.ts`);
}

export function keysBesideTenant(tables: readonly Table[]): readonly string[] {
  return tables.flatMap(({ name, keys }) =>
    keys.filter(({ columns }) => columns[0] !== 'tenant_id').map((key) => `${name} ${key.name}`),
  );
}

function staleEntries(statements: readonly Statement[], tables: readonly Table[]): readonly string[] {
  const places = new Set(statements.map(placeOf));
  const keys = new Set(keysBesideTenant(tables));
  return [
    ...wholeCell.flatMap((one) => one.statements).filter((place) => !places.has(place)),
    ...Object.keys(otherKeys).filter((key) => !keys.has(key)),
  ].map((entry) => `${entry}: is listed, and no longer there`);
}
