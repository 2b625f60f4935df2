/**
 * What one dispatch pass costs, by the number of lanes there are and of those that are due; and the plans of its queries. A pass must cost what it can
 * serve: 50,000 lanes of which 20 are due, no more than 10,000 of which 20 are due.
 *
 *     DATABASE_URL=... node dist/load-tests/bench/dispatch-pass.js
 */
import { readCandidates } from '../../src/dispatch/candidate-store.ts';
import { readDemand, readOutstanding } from '../../src/dispatch/demand-store.ts';
import { planReads, type Turns } from '../../src/dispatch/dispatch-policy.ts';
import { dispatchGrants, returnDispatched } from '../../src/dispatch/dispatch-store.ts';
import { rescheduleLanes } from '../../src/dispatch/lane-store.ts';
import { postponeChunks } from '../../src/dispatch/park-store.ts';
import { planPass } from '../../src/dispatch/plan-pass.ts';
import { RetryCredits } from '../../src/dispatch/retry-credits.ts';
import type { Database, Sql } from '../../src/platform/mysql.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { alwaysLeading } from '../../src/testing/test-ledger.ts';

const destinations = 20;
const chunksPerLane = 3;
const part = 202647;
const passes = 15;
const limits = { totalMessages: 30_000 };
const windowMessages = 6_000;
const rowsPerInsert = 2_000;

interface Shape {
  readonly lanes: number;
  readonly due: number;
}

const shapes: readonly Shape[] = [
  { lanes: 10_000, due: 20 },
  { lanes: 10_000, due: 2_000 },
  { lanes: 50_000, due: 20 },
  { lanes: 50_000, due: 2_000 },
];

for (const shape of shapes) console.log(await measure(shape));

async function measure(shape: Shape): Promise<string> {
  const { db, drop } = await createTestDatabase();
  try {
    await fill(db, shape);
    const times = new Map<string, number[]>();
    const note = (name: string, ms: number) => void times.set(name, [...(times.get(name) ?? []), ms]);
    for (let pass = 0; pass < passes; pass++) await runPass(db, note);
    const medians = [...times].map(
      ([name, all]) => `${name} ${median(all).toFixed(1)} (${Math.min(...all).toFixed(1)})`,
    );
    const plans = shape === shapes.at(-1) ? await explain(db) : '';
    return `${shape.lanes} lanes, ${shape.due} due, median (least) ms by part: ${medians.join(', ')}${plans}`;
  } finally {
    await drop();
  }
}

/** The dispatcher's pass without its queue; then all that it dispatched goes back, so that every pass finds the same. */
async function runPass(db: Database, note: (name: string, ms: number) => void): Promise<void> {
  const timed = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    note(name, performance.now() - started);
    return result;
  };
  const turns: Turns = new Map();
  const started = performance.now();
  const outstanding = await timed('outstanding', () => readOutstanding(db));
  const demands = await timed('demand', () => readDemand(db, outstanding, () => ({ windowMessages })));
  const reads = await timed('plan reads', () => planReads(demands, limits, turns));
  const candidates = await timed('candidates', () => readCandidates(db, reads));
  const outstandingByCampaign = outstanding.byCampaign;
  const plan = await timed('plan', () =>
    planPass({
      demands,
      limits,
      turns,
      credits: new RetryCredits(),
      reads,
      candidates,
      outstandingByCampaign,
    }),
  );
  await timed(`S1 of ${plan.grants.length} grants`, () => dispatchGrants(db, alwaysLeading, plan.grants));
  note('whole pass', performance.now() - started);
  await timed('100 lanes put to sleep', () =>
    rescheduleLanes(db, demands.flatMap(({ lanes }) => lanes).slice(0, 100)),
  );
  await returnDispatched(db);
  await db.write('UPDATE lanes SET next_due_at = NOW(3) WHERE next_due_at < NOW(3) + INTERVAL 1 HOUR');
}

/** As many tenants as it takes, each with a campaign and with a lane at every destination. */
async function fill(db: Database, shape: Shape): Promise<void> {
  const times = { now: new Date(Date.now() - 60_000), tomorrow: new Date(Date.now() + 86_400_000) };
  await fillTenants(db, shape.lanes / destinations, times);
  await fillLanes(db, shape, times);
  await db.write('ANALYZE TABLE lanes, chunks, campaigns');
}

interface Times {
  readonly now: Date;
  readonly tomorrow: Date;
}

async function fillTenants(db: Database, tenants: number, { now, tomorrow }: Times): Promise<void> {
  const ids = Array.from({ length: tenants }, (_, i) => i + 1);
  await insert(
    db,
    'tenants (id, name, created_at)',
    ids.map((id) => [id, 'Bench', now]),
  );
  await insert(
    db,
    `campaigns (tenant_id, id, part, name, class, state, send_at, deadline_at, audience, message, in_doubt_policy, deliver_within_s,
      expansion_done, created_at, updated_at)`,
    ids.map((id) => [
      ...[id, id, part, 'Bench', 2, 'sending', now, tomorrow],
      ...['{}', '{}', 'resend', 3_600, 1, now, now],
    ]),
  );
}

/** Those that are due are spread over all. */
async function fillLanes(db: Database, { lanes, due }: Shape, { now, tomorrow }: Times): Promise<void> {
  const laneRows: unknown[][] = [];
  const chunkRows: unknown[][] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const tenantId = 1 + Math.floor(lane / destinations);
    const key = [1 + (lane % destinations), 2];
    const dueAt = (lane * 7_919) % lanes < due ? now : tomorrow;
    laneRows.push([tenantId, ...key, dueAt]);
    const firstChunk = (lane % destinations) * chunksPerLane;
    for (let n = 0; n < chunksPerLane; n++)
      chunkRows.push([tenantId, tenantId, firstChunk + n, part, ...key, dueAt, 500, 500]);
  }
  await insert(db, 'lanes (tenant_id, destination_id, class, next_due_at)', laneRows);
  await insert(
    db,
    'chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, due_at, size, n_pending)',
    chunkRows,
  );
}

async function insert(sql: Sql, into: string, rows: readonly unknown[][]): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsPerInsert)
    await sql.write(`INSERT INTO ${into} VALUES ?`, [rows.slice(at, at + rowsPerInsert)]);
}

/** Of every statement a pass sends: which index, how, and how many rows the optimizer expects. */
async function explain(db: Database): Promise<string> {
  const seen = new Map<string, string>();
  const spy: Database = {
    ...db,
    ...explaining(db, seen),
    transaction: (work) => db.transaction((tx) => work(explaining(tx, seen))),
    autocommit: (work) => db.autocommit((sql) => work(explaining(sql, seen))),
  };
  const outstanding = await readOutstanding(spy);
  const demands = await readDemand(spy, outstanding, () => ({ windowMessages }));
  const reads = planReads(demands, limits, new Map()).slice(0, 20);
  const candidates = await readCandidates(spy, reads);
  const read = { reads, candidates, outstandingByCampaign: outstanding.byCampaign };
  const plan = planPass({ demands, limits, turns: new Map(), credits: new RetryCredits(), ...read });
  await postponeChunks(
    spy,
    candidates.slice(0, 3).map((chunk) => ({ chunk, delayMs: 1_000 })),
    plan.ready,
  );
  await rescheduleLanes(
    spy,
    reads.map(({ lane }) => lane),
  );
  await dispatchGrants(spy, alwaysLeading, plan.grants);
  return [...seen].map(([statement, found]) => `\n  ${statement}\n    ${found}`).join('');
}

function explaining(sql: Sql, seen: Map<string, string>): Sql {
  async function note(statement: string, values?: readonly unknown[]): Promise<void> {
    const plan = await sql.rows<Record<string, unknown>>(`EXPLAIN ${statement}`, values);
    const lines = plan
      .slice(0, 4)
      .map(({ table, type, key, rows, Extra }) => `${table} ${type} ${key} ${rows} (${Extra})`);
    seen.set(statement.replaceAll(/\s+/g, ' ').slice(0, 90), lines.join('; '));
  }
  return {
    async rows(statement, values) {
      await note(statement, values);
      return sql.rows(statement, values);
    },
    async first(statement, values) {
      await note(statement, values);
      return sql.first(statement, values);
    },
    async write(statement, values) {
      await note(statement, values);
      return sql.write(statement, values);
    },
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
