/** docs/sql.md: every statement, table and construct, from the source and the lists beside it. */
import { constructs, constructsOf } from './constructs.ts';
import { placeOf, tenantTablesOf } from './findings.ts';
import { otherKeys } from './other-keys.ts';
import type { Statement } from './read-statements.ts';
import { scopeOf, tablesOf } from './scope.ts';
import type { Table } from './tables.ts';
import { wholeCell } from './whole-cell.ts';

export function renderSqlPage(statements: readonly Statement[], tables: readonly Table[]): string {
  const tenantTables = tenantTablesOf(tables);
  const lines = [
    introduction(statements, tenantTables),
    '## Constructs\n',
    'Each can be used; a word in capitals that is neither here nor plain SQL fails `npm run check`.\n',
    table(['construct', 'statements', 'Vitess, one shard', 'TiDB'], constructRows(statements)),
    sources,
    '## Statements that see more than one tenant\n',
    ...wholeCell.map(
      ({ reason, statements: places }) => `- **${reason}.** ${places.map(shorten).join(', ')}`,
    ),
    '\n## Keys\n',
    table(['table', 'keys that begin with the tenant', 'others, and why'], tables.map(keyRow)),
    '## All statements\n',
    table(
      ['file', 'in', 'statement', 'rows of'],
      statements.map((one) => statementRow(one, tenantTables)),
    ),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function introduction(statements: readonly Statement[], tenantTables: ReadonlySet<string>): string {
  const wide = new Set(wholeCell.flatMap((one) => one.statements));
  const many = statements.filter((one) => wide.has(placeOf(one))).length;
  const none = statements.filter((one) => scopeOf(one, tenantTables) === 'none').length;
  return `# SQL

<!-- Written by \`npm run docs\` from src, migrations and scripts/sql; edit those instead. -->

What Sluice asks of its database, so that it can be another than one MySQL ([scale](scale.md)). Of ${statements.length} statements ${statements.length - many - none} name one tenant, ${many} see
the tenants of a cell for a reason, and ${none} touch no tenant’s rows. Those of one tenant work wherever that tenant’s rows are. Those of a cell need its rows in one database: a cell is one unsharded MySQL, and no
statement knows that there are other cells.

No join brings rows of two tenants together: each joined table of tenants is bound to the other by \`tenant_id\`. There are no foreign keys, triggers, stored procedures, views, user variables, temporary tables, common
table expressions, window functions, \`RETURNING\`, \`GET_LOCK\`, \`SKIP LOCKED\`, \`LOCK TABLES\` or XA. \`npm run check\` reads all of this from the source and fails when it is no longer so.

| database | |
|---|---|
| MySQL 8, MariaDB 10.6 | what it is made for and tested with (MariaDB) |
| Aurora MySQL 3 | follows MySQL 8.0 Community Edition [7], and nothing here is beyond it. Give Sluice the writer’s address only: every read of it must see the last write. Not tried |
| Vitess | one keyspace of one shard for each cell. In a sharded one \`AUTO_INCREMENT\` (profiles, destinations) is refused [5], and statements of the whole cell would go to every shard. Tablets refuse results of more than 10,000 rows and end transactions after 30 s unless told otherwise [6]: raise the first. Not tried; every statement was read by its parser |
| TiDB | **not yet.** Every statement was read by its parser, and the grammar is no obstacle. The locks are: S3 relies on MySQL holding the joined chunk and campaign while it writes deliveries, and TiDB locks only the rows that a statement changes [2]. A takeover could then commit between its look and its write. S3 would have to begin with \`SELECT … FOR UPDATE\` of the chunk, which costs a statement for each 64 messages |
`;
}

const sources = `
[1] https://vitess.io/docs/reference/mysql-compatibility/ · [2] https://docs.pingcap.com/tidb/stable/pessimistic-transaction ·
[3] https://github.com/pingcap/tidb/issues/38535, https://github.com/pingcap/docs-cn/pull/13689 · [4] https://docs.pingcap.com/tidb/stable/mysql-compatibility ·
[5] https://planetscale.com/docs/vitess/schema-changes/schema-lint-errors/unsupported-sharded-feature · [6] https://github.com/vitessio/vitess/blob/main/config/tablet/default.yaml ·
[7] https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.MySQL80.html

Read on 2026-11-21. Parsers: \`vitess.io/vitess/go/vt/sqlparser\` 0.22.1 and \`github.com/pingcap/tidb/pkg/parser\` of 2026-04-18, over the schema and the 655 statements of different form that the processes and their database tests issued; all of the processes’ are in the list below.
`;

function constructRows(statements: readonly Statement[]): readonly (readonly string[])[] {
  return constructs.map((construct) => {
    const uses = statements.filter(({ text }) => constructsOf(text).includes(construct)).length;
    return [construct.what, String(uses), construct.vitess, construct.tidb];
  });
}

function keyRow({ name, keys }: Table): readonly string[] {
  const written = keys.map((key) => ({ key, text: `${key.name} (${key.columns.join(', ')})` }));
  const led = written.filter(({ key }) => key.columns[0] === 'tenant_id');
  const others = written.filter(({ key }) => key.columns[0] !== 'tenant_id');
  return [
    name,
    led.map(({ text }) => text).join('; '),
    others
      .map(({ key, text }) => `${text}: ${otherKeys[`${name} ${key.name}`] ?? 'no reason given'}`)
      .join('; '),
  ];
}

function statementRow(statement: Statement, tenantTables: ReadonlySet<string>): readonly string[] {
  const isWide = wholeCell.some(({ statements }) => statements.includes(placeOf(statement)));
  const scope = isWide ? 'the cell' : scopeOf(statement, tenantTables);
  return [statement.path.replace('src/', ''), statement.name, outline(statement.text), scope];
}

/** `SELECT chunks, campaigns`. */
function outline(text: string): string {
  const verb = /^[«(]*(INSERT IGNORE|ALTER TABLE|SET SESSION|SHOW GLOBAL|START TRANSACTION|[A-Z]+)/.exec(
    text,
  )?.[1];
  const names = new Set(tablesOf(text).map((one) => one.table));
  return `${verb === 'COUNT' ? 'SELECT' : verb} ${[...names].join(', ')}`.trim();
}

function shorten(place: string): string {
  return `\`${place.replace(/^src\//, '').replace('.ts:', ' ')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`;
}
