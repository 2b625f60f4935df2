/** A transport that may send N messages a second: does N hold over every ten seconds, whatever the number of workers and whatever happens to Redis? */
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Figure, Findings, Mark } from '../experiment.ts';
import { countIn, countsOverWindows, type Period, rateSeries } from '../provider-slots.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutSharedRates } from '../without.ts';

const perSecond = 150;
const windowMs = 10_000;
const tolerance = 0.02;
/** A change of workers or of Redis has shown its effect. */
const settleMs = 3_000;

export const rate: Experiment = {
  name: 'rate',
  question: `A transport limited to ${perSecond} messages a second: is that kept over any 10 s within 2 %, with 1, 2 and 4 send workers and while Redis restarts?`,
  mechanism: 'one bucket of tokens for the whole fleet, in Redis',
  without: withoutSharedRates,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  await prepare(bench);
  const startedMs = Date.now();
  const lengthMs = bench.isQuick || bench.isControl ? windowMs + 2_000 : windowMs + 5_000;
  const steady = new Map<string, Period>();
  for (const send of bench.isControl ? [4] : bench.isQuick ? [1, 4] : [1, 2, 4]) {
    await bench.startWorkers({ send });
    await bench.pause(settleMs);
    steady.set(`${send} send worker${send > 1 ? 's' : ''}`, await watch(bench, lengthMs));
  }
  const marks: Mark[] = [];
  const restart = bench.isControl ? undefined : await restartRedis(bench);
  if (restart) marks.push({ name: 'Redis restarts', ...secondsSince(startedMs, restart) });
  return judge(bench, startedMs, steady, restart, marks);
}

async function prepare({ tables, sink }: Bench): Promise<void> {
  const transportId = await createPlatformTransport(tables, { port: sink.port, limits: { perSecond } });
  const destination = await createDestination(tables, transportId, { name: 'all', domain: 'example.com' });
  const tenants = await createTenants(tables, [{}, {}]);
  await createPeople(tables, tenants, [destination], 100);
  await createBacklogs(
    tables,
    tenants.map((tenantId) => ({ tenantId, destination, messages: 30_000 })),
  );
}

async function watch(bench: Bench, ms: number): Promise<Period> {
  const fromMs = Date.now();
  await bench.pause(ms);
  return { fromMs, untilMs: Date.now() };
}

/** Away for two seconds; what comes after is watched until the window lies behind it. */
async function restartRedis(bench: Bench): Promise<Period> {
  const fromMs = Date.now();
  await bench.installation.redis.kill();
  await bench.pause(2_000);
  await bench.installation.redis.restart();
  await bench.pause(bench.isQuick ? 12_000 : 20_000);
  return { fromMs, untilMs: Date.now() };
}

async function judge(
  bench: Bench,
  startedMs: number,
  steady: ReadonlyMap<string, Period>,
  restart: Period | undefined,
  marks: readonly Mark[],
): Promise<Findings> {
  const slots = Object.values(await bench.sink.series(0))[0] ?? [];
  const allowed = (perSecond * windowMs) / 1_000;
  const figures: Figure[] = [];
  for (const [name, period] of steady) {
    const shares = countsOverWindows(slots, 'attempts', { ...period, windowMs }).map((n) => n / allowed);
    figures.push(atMost(`most in 10 s, ${name}`, Math.max(...shares)), {
      ...share(`least in 10 s, ${name}`, Math.min(...shares)),
      atLeast: 1 - tolerance,
    });
  }
  if (restart) {
    const period = { fromMs: restart.fromMs - windowMs, untilMs: restart.untilMs, windowMs };
    const shares = countsOverWindows(slots, 'attempts', period).map((n) => n / allowed);
    const after = { fromMs: restart.untilMs - 5_000, untilMs: restart.untilMs };
    figures.push(atMost('most in 10 s, across a restart of Redis', Math.max(...shares)), {
      ...share('last 5 s after it', countIn(slots, 'attempts', after) / (perSecond * 5)),
      atLeast: 0.9,
    });
  }
  const whole = { fromMs: startedMs, untilMs: Date.now() };
  return { figures, series: [rateSeries('attempts', slots, { ...whole, what: 'attempts' })], marks };
}

function share(name: string, value: number): Figure {
  return { name, value, unit: 'of the rate' };
}

function atMost(name: string, value: number): Figure {
  return { ...share(name, value), atMost: 1 + tolerance };
}

function secondsSince(startMs: number, { fromMs, untilMs }: Period) {
  return { fromS: (fromMs - startMs) / 1_000, untilS: (untilMs - startMs) / 1_000 };
}
