/**
 * What a message costs MySQL and Redis in things that can be counted: statements, rows, bytes of log and of tables, commands, bytes on the network. For the
 * capacity plan (docs/operations.md). The servers must be this script's alone. Bytes hardly depend on how fast it goes; statements and commands do: what
 * goes by time (renewals, passes, polls) is theirs too, so on a busy machine they are upper bounds.
 *
 *   npm run --silent build && node scripts/with-services.mjs -- node dist/load-tests/bench/server-counts.js [--messages 30000]
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import type { Sql } from '../../src/platform/mysql.ts';
import { describeMachine, readCommit } from '../../src/testing/measured-on.ts';
import { startInstallation } from './installation.ts';
import { createLists } from './lists.ts';
import { runPipeline } from './pipeline-run.ts';

type Counts = Readonly<Record<string, number>>;

const { values } = parseArgs({ options: { messages: { type: 'string', default: '30000' } } });
const messages = Number(values.messages);
const idleMs = 10_000;
const doublings = 5;

const redis = new Redis(process.env.REDIS_URL as string);
const installation = await startInstallation();
const { listId } = await createLists(installation)(messages);
const sql = installation.database.db;
const run = { installation, listId, kilobytes: 10 };
// The first run learns the way and fills caches.
await runPipeline(run);

const idle = await countDuring(() => pause(idleMs));
let seconds = 0;
const busy = await countDuring(async () => {
  ({ seconds } = await runPipeline(run));
});
const ledgerBytes = await measureLedgerBytes(sql);
const at = new Date().toISOString();
const idlePerSecond = scale(idle, 1_000 / idleMs);
// What goes on without messages is not theirs.
const own = Object.fromEntries(
  Object.entries(busy).map(([name, n]) => [name, n - (idlePerSecond[name] ?? 0) * seconds]),
);
const result = {
  ...{ machine: describeMachine(), commit: readCommit(), at, messages, seconds },
  command: `node dist/load-tests/bench/server-counts.js --messages ${messages}`,
  ...{ idlePerSecond, perMessage: { ...scale(own, 1 / messages), ledgerBytes } },
};
const path = `load-tests/results/server-counts-${at.slice(0, 16).replace(':', '')}.json`;
writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(result, null, 2)}\nkept as ${path}\n`);
await installation.stop();
process.exit(0);

async function countDuring(work: () => Promise<unknown>): Promise<Counts> {
  const before = await readCounts();
  await work();
  const after = await readCounts();
  return Object.fromEntries(Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)]));
}

async function readCounts(): Promise<Counts> {
  const status = await sql.rows<{ Variable_name: string; Value: string }>('SHOW GLOBAL STATUS');
  const mysql = new Map(status.map((row) => [row.Variable_name.toLowerCase(), Number(row.Value)]));
  const info = await redis.info();
  const of = (name: string) => mysql.get(name) ?? 0;
  const ofRedis = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
  return {
    statements: of('questions'),
    // Rows of partitioned tables count twice: once for the table, once for its part.
    rowsWritten: of('handler_write') + of('handler_update') + of('handler_delete'),
    redoBytes: of('innodb_os_log_written'),
    mysqlNetworkBytes: of('bytes_received') + of('bytes_sent'),
    redisCommands: ofRedis('total_commands_processed'),
    redisNetworkBytes: ofRedis('total_net_input_bytes') + ofRedis('total_net_output_bytes'),
  };
}

/**
 * What the ledger keeps of a message for RETENTION_WEEKS. Tables grow by a megabyte at a time, so what was sent is copied to other campaigns until that no longer matters.
 */
async function measureLedgerBytes(db: Sql): Promise<number> {
  const before = await readLedger(db);
  for (let doubling = 0; doubling < doublings; doubling++)
    for (const table of ['chunks', 'deliveries']) await doubleRows(db, table, doubling);
  const after = await readLedger(db);
  return (after.bytes - before.bytes) / (after.deliveries - before.deliveries);
}

async function doubleRows(db: Sql, table: string, doubling: number): Promise<void> {
  const columns = await db.rows<{ name: string }>(
    `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  );
  const names = columns.map(({ name }) => name);
  const copied = names.map((name) => (name === 'campaign_id' ? `campaign_id + ${2 ** doubling}` : name));
  await db.write(
    `INSERT INTO ${table} (${names}) SELECT ${copied} FROM ${table} ORDER BY tenant_id, campaign_id, chunk_no`,
  );
}

async function readLedger(db: Sql): Promise<{ readonly bytes: number; readonly deliveries: number }> {
  await db.rows('ANALYZE TABLE deliveries, chunks');
  const row = await db.first<{ bytes: number; deliveries: number }>(
    `SELECT SUM(DATA_LENGTH + INDEX_LENGTH) AS bytes, (SELECT COUNT(*) FROM deliveries) AS deliveries
     FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('deliveries', 'chunks')`,
  );
  return row ?? { bytes: 0, deliveries: 0 };
}

function scale(counts: Counts, factor: number): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, n * factor]));
}
