/**
 * The capacity plan of docs/operations.md: what 1, 10 and 100 million messages an hour take, from kept results that its marker names. Each row says how it is made of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MeasuredRun, plainRuns } from './bench-usage.ts';

const section = /(<!-- capacity-plan:(\S+):(\S+):start -->\n)[\s\S]*?(<!-- capacity-plan:end -->)/;

/** By message. CPU of the dearest run that was measured, in µs. */
export interface MessageCosts {
  readonly cpuMicros: Readonly<Record<string, number>>;
  readonly redoBytes: number;
  readonly ledgerBytes: number;
  readonly mysqlNetworkBytes: number;
  readonly redisCommands: number;
  readonly redisNetworkBytes: number;
}

/** The cell that the simulation of Black Friday plays. */
export interface PlayedCell {
  readonly messagesPerSecond: number;
  readonly redisMegabytes: number;
  /** In its busiest second, which comes on top of what goes by time. */
  readonly statementsPerSecond: number;
}

/** The busiest minute of an hour against its mean, and the busiest hour of a day against its mean (docs/black-friday.md). */
const peakFactor = 1.85;
/** Of a core: above it, answers begin to wait. */
const load = 0.7;
const messageKilobytes = 40;
const answerSeconds = 0.25;
/** `max_connections` of a transport, of one worker and destination: at most (src/transports/smtp-settings.ts). */
const mostConnections = 100;
const ledgerWrites = 3;
const dkim = { loopMicros: 72, threadsMicros: 246.5 };
const hours = [1_000_000, 10_000_000, 100_000_000];

interface Row {
  readonly what: string;
  readonly how: string;
  readonly at: (scale: Scale) => string;
}

interface Scale {
  readonly perHour: number;
  /** In the busiest minute, a second. */
  readonly peak: number;
  readonly cells: number;
  /** The same in one cell. */
  readonly rate: number;
}

export function insertCapacityPlan(page: string, root: string): string {
  const [, , benchFile, countsFile] = section.exec(page) ?? [];
  if (!benchFile || !countsFile)
    throw new Error('docs/operations.md needs <!-- capacity-plan:BENCH:COUNTS:start --> and its end');
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const runs = plainRuns(JSON.parse(read(benchFile)));
  const costs = { cpuMicros: dearest(runs), ...JSON.parse(read(countsFile)).perMessage };
  const plan = renderCapacityPlan(costs, readPlayedCell(read('docs/black-friday.md')));
  return page.replace(section, (_, start, __, ___, end) => `${start}${plan}${end}`);
}

/** Of all runs and sizes of message, the servers among them. */
export function dearest(runs: readonly MeasuredRun[]): Readonly<Record<string, number>> {
  const most: Record<string, number> = {};
  for (const { messages, usage, serverUsage } of runs)
    for (const [process, { cpuSeconds }] of Object.entries({ ...usage, ...serverUsage }))
      most[process] = Math.max(most[process] ?? 0, (cpuSeconds * 1e6) / messages);
  return most;
}

export function readPlayedCell(page: string): PlayedCell {
  const cell = (row: string) =>
    Number(new RegExp(`\\| ${row} \\| ([\\d,.]+)`).exec(page)?.[1]?.replace(',', ''));
  const played = {
    messagesPerSecond: cell('sent a second in the busiest minute'),
    redisMegabytes: cell('most bytes in Redis'),
    statementsPerSecond: cell('most statements a second'),
  };
  if (Object.values(played).some((n) => !(n > 0)))
    throw new Error('docs/black-friday.md has no row of the busiest minute, of Redis, or of most statements');
  return played;
}

export function renderCapacityPlan(costs: MessageCosts, cell: PlayedCell): string {
  const scales = hours.map((perHour) => scaleOf(perHour, costs, cell));
  const rows = rowsOf(costs, cell).map(
    ({ what, how, at }) => `| ${what} | ${how} | ${scales.map(at).join(' | ')} |`,
  );
  const head = `| | from | ${hours.map((perHour) => `${perHour / 1e6} million an hour`).join(' | ')} |`;
  return `${head}\n|---|---|${'---|'.repeat(hours.length)}\n${rows.join('\n')}\n`;
}

/** A cell is no larger than the one that was played, and its one dispatcher and one scheduler stay below a core's load. */
function scaleOf(perHour: number, { cpuMicros }: MessageCosts, { messagesPerSecond }: PlayedCell): Scale {
  const peak = (perHour / 3_600) * peakFactor;
  const leader = Math.max(cpuMicros.dispatcher ?? 0, cpuMicros.scheduler ?? 0);
  const cells = Math.ceil(Math.max(peak / messagesPerSecond, (peak * leader) / 1e6 / load));
  return { perHour, peak, cells, rate: peak / cells };
}

function rowsOf(costs: MessageCosts, cell: PlayedCell): readonly Row[] {
  return [...sizeRows(cell), ...workerRows(costs), ...databaseRows(costs, cell), ...otherRows(costs, cell)];
}

function sizeRows({ messagesPerSecond }: PlayedCell): readonly Row[] {
  return [
    { what: 'messages a second, mean of the hour', how: 'n / 3,600', at: (s) => whole(s.perHour / 3_600) },
    { what: 'in its busiest minute', how: `x ${peakFactor}`, at: (s) => whole(s.peak) },
    {
      what: '**cells**',
      how: `at most ${whole(messagesPerSecond)} a second each, the cell of [black-friday](black-friday.md); and a leader below ${load} of a core`,
      at: (s) => whole(s.cells),
    },
    { what: '*of one cell:* messages a second', how: 'in the busiest minute', at: (s) => whole(s.rate) },
  ];
}

function workerRows({ cpuMicros }: MessageCosts): readonly Row[] {
  const of = (process: string) => cpuMicros[process] ?? 0;
  const signed = of('send') + dkim.loopMicros + dkim.threadsMicros;
  return [
    workers('send workers', of('send')),
    {
      what: 'send workers through one relay',
      how: `the same, or as many as may hold the connections below: at most ${mostConnections} each (\`max_connections\`)`,
      at: (s) => whole(sendersToOneRelay(s, of('send'))),
    },
    {
      what: 'cores for them where mail is signed',
      how: `${whole(signed)} µs: RSA-2048, mostly in threads (dkim-2026-11-21T0830.txt); ${load} of a core each`,
      at: (s) => cores(s, signed, load),
    },
    workers('render workers', of('render')),
    leader('dispatcher, cores', of('dispatcher')),
    leader('scheduler, cores', of('scheduler')),
    {
      what: '`DATABASE_FLEET_CONNECTIONS`, at least',
      how: 'through one relay: 4 for each worker (`SCALE_STATEMENTS_PER_WORKER`), 2 for each of 8 other processes',
      at: (s) => whole(4 * (sendersToOneRelay(s, of('send')) + count(s, of('render'))) + 16),
    },
    {
      what: 'open connections to providers',
      how: `x ${answerSeconds} s an answer (assumed; Little's law)`,
      at: (s) => whole(s.rate * answerSeconds),
    },
  ];
}

function workers(what: string, micros: number): Row {
  const how = `${whole(micros)} µs a message, ${load} of a core each, and one to spare`;
  return { what, how, at: (s) => whole(count(s, micros)) };
}

function count({ rate }: Scale, micros: number): number {
  return Math.ceil((rate * micros) / 1e6 / load) + 1;
}

function sendersToOneRelay(scale: Scale, micros: number): number {
  return Math.max(count(scale, micros), Math.ceil((scale.rate * answerSeconds) / mostConnections) + 1);
}

function leader(what: string, micros: number): Row {
  return { what, how: `${whole(micros)} µs; one leads`, at: (s) => cores(s, micros) };
}

function databaseRows(
  costs: MessageCosts,
  { statementsPerSecond, messagesPerSecond }: PlayedCell,
): readonly Row[] {
  const { redoBytes, ledgerBytes, cpuMicros } = costs;
  const mysql = cpuMicros.mysql ?? 0;
  return [
    {
      what: 'MySQL: cores',
      how: `${whole(mysql)} µs, ${load} of a core each`,
      at: (s) => cores(s, mysql, load),
    },
    {
      what: 'MySQL: statements a second',
      how: `at most ${whole(statementsPerSecond)} at ${whole(messagesPerSecond)} messages a second ([black-friday](black-friday.md))`,
      at: (s) => whole((s.rate * statementsPerSecond) / messagesPerSecond),
    },
    {
      what: 'MySQL: rows written a second',
      how: `${ledgerWrites}: its delivery, the intent, the outcome; 2 more for a retry`,
      at: (s) => whole(s.rate * ledgerWrites),
    },
    {
      what: 'MySQL: redo log, MB a second',
      how: `${whole(redoBytes)} bytes`,
      at: (s) => tenths((s.rate * redoBytes) / 1e6),
    },
    {
      what: 'MySQL: ledger, GB for a day like this',
      how: `${whole(ledgerBytes)} bytes x 24 hours / ${peakFactor}`,
      at: (s) => tenths(((s.perHour / s.cells) * 24 * ledgerBytes) / peakFactor / 1e9),
    },
  ];
}

function otherRows(costs: MessageCosts, cell: PlayedCell): readonly Row[] {
  const { redisCommands, cpuMicros } = costs;
  const networks = costs.mysqlNetworkBytes + costs.redisNetworkBytes;
  return [
    {
      what: 'Redis: commands a second',
      how: `at most ${decimals(redisCommands)}`,
      at: (s) => whole(s.rate * redisCommands),
    },
    {
      what: 'Redis: cores (it has one)',
      how: `${whole(cpuMicros.redis ?? 0)} µs`,
      at: (s) => cores(s, cpuMicros.redis ?? 0),
    },
    {
      what: 'Redis: MB',
      how: `${cell.redisMegabytes} MB at ${whole(cell.messagesPerSecond)} a second`,
      at: (s) => whole(Math.ceil((cell.redisMegabytes * s.rate) / cell.messagesPerSecond)),
    },
    {
      what: 'network to MySQL and Redis, Mbit/s',
      how: `${whole(networks)} bytes`,
      at: (s) => whole((s.rate * networks * 8) / 1e6),
    },
    {
      what: 'network out, Mbit/s',
      how: `${messageKilobytes} KB a message`,
      at: (s) => whole((s.rate * messageKilobytes * 1024 * 8) / 1e6),
    },
  ];
}

function cores({ rate }: Scale, micros: number, share = 1): string {
  return decimals((rate * micros) / 1e6 / share);
}

const whole = (n: number) => Math.round(n).toLocaleString('en-US');
const tenths = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 1 });
const decimals = (n: number) => n.toLocaleString('en-US', { maximumSignificantDigits: 2 });
