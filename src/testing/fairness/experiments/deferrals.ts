/** A million deferrals of four destinations fall due in the same second, while fresh mail is going out. */
import type { SeriesSlot } from '../../smtp-sink/provider-series.ts';
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import { loadSeries, type SecondOfLoad, watchDatabase } from '../database-load.ts';
import type { Experiment, Figure, Findings } from '../experiment.ts';
import { countsOverWindows, type Period, rateIn, rateSeries } from '../provider-slots.ts';
import { meanOf } from '../statistics.ts';
import {
  createDestination,
  createPeople,
  createPlatformTransport,
  createTenants,
  type Destination,
} from '../tenants.ts';
import { withoutRetryShareAndSlots } from '../without.ts';

const providers = [
  { name: 'gmail', domain: 'gmail.com' },
  { name: 'yahoo', domain: 'yahoo.com' },
  { name: 'gmx', domain: 'gmx.de' },
  { name: 'orange', domain: 'orange.fr' },
] as const;
/** Of each destination: 100 ms an answer, so many connections. */
const replyMs = 100;
const connections = 8;
const cap = (connections * 1_000) / replyMs;
const tenants = 20;
/** While there is fresh mail it gets four fifths of its lane; a little less when it is counted at the other end. */
const leastFresh = 0.7;
/** What was on its way when they fell due has arrived. */
const onItsWayMs = 3_000;

export const deferrals: Experiment = {
  name: 'deferrals',
  question:
    '1,000,000 deferrals fall due at once: does no destination go above its cap, and does the load of the database stay flat?',
  mechanism: 'retries have a bounded share of their lane, within windows, connections and rates',
  workers: { send: 2 },
  without: withoutRetryShareAndSlots,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const { destinations, fresh } = await prepare(bench);
  const load = watchDatabase(bench.tables.db);
  const startMs = Date.now();
  await bench.startWorkers();
  await bench.pause(6_000);
  const lengthMs = bench.isControl || bench.isQuick ? 10_000 : 20_000;
  const before = await watch(bench, lengthMs);
  await fallDue(bench, destinations);
  const after = await watch(bench, lengthMs);
  return judge(bench, { startMs, before, after, fresh, statements: await load.stop() });
}

interface Seen {
  readonly startMs: number;
  readonly before: Period;
  readonly after: Period;
  readonly fresh: ReadonlySet<number>;
  readonly statements: readonly SecondOfLoad[];
}

async function judge(bench: Bench, seen: Seen): Promise<Findings> {
  const { startMs, before, after, fresh, statements } = seen;
  const slots = await bench.sink.series(0);
  const whole = { fromMs: startMs, untilMs: after.untilMs };
  const counts = Object.values((await bench.sink.state()).providers);
  return {
    figures: [
      ...judgeLoad(seen),
      ...providers.flatMap(({ name }) => judgeProvider(name, slots[name] ?? [], { before, after })),
      {
        name: 'most connections at one',
        value: Math.max(0, ...counts.map(({ maxOpenConnections }) => maxOpenConnections)),
        unit: 'connections',
        atMost: connections,
      },
      {
        name: 'fresh mail among what is taken after',
        value: await freshShare(bench, fresh, after),
        unit: 'of messages',
        atLeast: leastFresh,
      },
      { name: 'deferrals due at once', value: deferred(bench), unit: 'messages' },
    ],
    series: [
      ...providers.map(({ name }) => rateSeries(name, slots[name] ?? [], whole)),
      loadSeries(statements, startMs),
    ],
    marks: [{ name: 'deferrals fall due', fromS: (after.fromMs - startMs) / 1_000 }],
  };
}

function judgeLoad({ before, after, statements }: Seen): readonly Figure[] {
  const within = ({ fromMs, untilMs }: Period) =>
    statements.filter(({ at }) => at >= fromMs && at <= untilMs).map((second) => second.statements);
  const usual = meanOf(within(before));
  const name = 'statements a second, after / before';
  return [
    { name, value: meanOf(within(after)) / usual, unit: 'times', atMost: 1.25 },
    {
      name: 'busiest second after / mean before',
      value: Math.max(...within(after)) / usual,
      unit: 'times',
      atMost: 2,
    },
    { name: 'statements a second before', value: usual, unit: 'statements/s' },
  ];
}

interface Prepared {
  readonly destinations: readonly Destination[];
  /** Campaigns without deferrals. */
  readonly fresh: ReadonlySet<number>;
}

async function freshShare(
  { sink }: Bench,
  fresh: ReadonlySet<number>,
  { fromMs, untilMs }: Period,
): Promise<number> {
  const taken = (await sink.taken()).filter(({ at }) => at >= fromMs + onItsWayMs && at < untilMs);
  return taken.filter(({ campaignId }) => fresh.has(campaignId)).length / taken.length;
}

const deferred = (bench: Bench) => (bench.isQuick || bench.isControl ? 100_000 : 1_000_000);

async function prepare(bench: Bench): Promise<Prepared> {
  const { tables, sink } = bench;
  await sink.setRules([{ stage: 'dot', action: { do: 'delay', ms: replyMs } }]);
  const transportId = await createPlatformTransport(tables, {
    port: sink.port,
    destinationMode: 'provider',
    limits: { connections },
  });
  const ids = await createTenants(
    tables,
    Array.from({ length: tenants }, () => ({})),
  );
  const destinations: Destination[] = [];
  for (const wish of providers) destinations.push(await createDestination(tables, transportId, wish));
  await createPeople(tables, ids, destinations, 10);
  const each = deferred(bench) / tenants / providers.length;
  const pairs = ids.flatMap((tenantId) => destinations.map((destination) => ({ tenantId, destination })));
  // Due in an hour, until it is said that they are due.
  await createBacklogs(
    tables,
    pairs.map((pair) => ({ ...pair, messages: each, deferredForMs: 3_600_000 })),
  );
  const campaigns = await createBacklogs(
    tables,
    pairs.map((pair) => ({ ...pair, messages: 1_000 })),
  );
  return { destinations, fresh: new Set(campaigns.map(({ campaignId }) => campaignId)) };
}

/** As if an hour had passed: all at the same moment. */
async function fallDue({ tables: { db } }: Bench, destinations: readonly Destination[]): Promise<void> {
  await db.write('UPDATE chunks SET due_at = NOW(3) WHERE state = 0 AND is_retry = 1 AND due_at > NOW(3)');
  await db.write('UPDATE lanes SET next_due_at = NOW(3) WHERE destination_id IN (?)', [
    destinations.map(({ id }) => id),
  ]);
}

async function watch(bench: Bench, ms: number): Promise<Period> {
  const fromMs = Date.now();
  await bench.pause(ms);
  return { fromMs, untilMs: Date.now() };
}

function judgeProvider(
  name: string,
  slots: readonly SeriesSlot[],
  { before, after }: { before: Period; after: Period },
): readonly Figure[] {
  const most = Math.max(...countsOverWindows(slots, 'attempts', { ...after, windowMs: 1_000 }));
  return [
    { name: `${name}: most in a second`, value: most / cap, unit: 'of its cap', atMost: 1.1 },
    {
      name: `${name}: throughput after / before`,
      value: rateIn(slots, 'accepted', after) / rateIn(slots, 'accepted', before),
      unit: 'times',
      atLeast: 0.7,
    },
  ];
}
