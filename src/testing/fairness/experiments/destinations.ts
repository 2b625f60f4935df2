/** Four providers behind one transport. The hottest is black-holed, then slow, then refuses everything: do the others notice, and does it come back well? */
import type { SeriesSlot } from '../../smtp-sink/provider-series.ts';
import type { Rule } from '../../smtp-sink/rule.ts';
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Figure, Findings, Mark } from '../experiment.ts';
import { countsOverWindows, type Period, rateIn, rateSeries, secondsUntilRate } from '../provider-slots.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutOwnSenders } from '../without.ts';

/** Each answers so slowly that its ten connections, and not our processor, say how much it takes: the hottest 200 a second, the others 100. */
const providers = [
  { name: 'gmail', sink: 'gmail', domain: 'gmail.com', replyMs: 50 },
  { name: 'yahoo', sink: 'yahoo', domain: 'yahoo.com', replyMs: 100 },
  { name: 'gmx', sink: 'gmx', domain: 'gmx.de', replyMs: 100 },
  { name: 'orange', sink: 'orange', domain: 'orange.fr', replyMs: 100 },
] as const;
const hottest = providers[0];
const others = providers.slice(1);
const slowMs = 20_000;
const recoversWithinMs = 60_000;
const smoothMs = 3_000;

const faults = [
  { name: 'black hole', rules: () => ['rcpt', 'dot'].map((stage) => stall(stage as 'rcpt' | 'dot')) },
  { name: '20 s slow', rules: () => [onHottest('dot', { do: 'delay', ms: slowMs })] },
  { name: '100 % 421', rules: () => [onHottest('rcpt', { do: 'say', refusal: 'tooFast' })] },
] as const;
type Fault = (typeof faults)[number];

export const destinations: Experiment = {
  name: 'destinations',
  question:
    'The hottest of four destinations is black-holed, then 20 s slow, then 100 % 421: do the others keep 95 % of their throughput, and does it recover within 60 s without a flood?',
  mechanism: 'windows, connections and breaker of each destination',
  workers: { send: 2 },
  without: withoutOwnSenders,
  run,
};

interface Seen {
  readonly fault: Fault;
  readonly before: Period;
  readonly during: Period;
  readonly after: Period;
}

async function run(bench: Bench): Promise<Findings> {
  await prepare(bench);
  const startMs = Date.now();
  await bench.startWorkers();
  await waitForRate(bench, { sinceMs: startMs, perSecond: 150, timeoutMs: 40_000 }).catch(() => undefined);
  const seen: Seen[] = [];
  for (const fault of bench.isControl ? faults.slice(0, 1) : faults) seen.push(await inflict(bench, fault));
  const slots = await bench.sink.series(0);
  return judge(slots, seen, { fromMs: startMs, untilMs: Date.now() });
}

async function prepare(bench: Bench): Promise<void> {
  const { tables, sink } = bench;
  await sink.setRules(usual());
  const transportId = await createPlatformTransport(tables, {
    port: sink.port,
    destinationMode: 'provider',
    // What hangs before DATA is given up on within seconds, so that the suite need not last for minutes.
    limits: { connections: 10, envelopeTimeoutMs: 4_000 },
  });
  const tenants = await createTenants(tables, [{}, {}]);
  for (const { name, domain } of providers) {
    const destination = await createDestination(tables, transportId, { name, domain });
    await createPeople(tables, tenants, [destination], 50);
    await createBacklogs(
      tables,
      tenants.map((tenantId) => ({
        tenantId,
        destination,
        messages: name === hottest.name ? 40_000 : 20_000,
      })),
    );
  }
}

async function inflict(bench: Bench, fault: Fault): Promise<Seen> {
  const beforeMs = bench.isQuick ? 5_000 : 8_000;
  const faultMs = bench.isControl ? 15_000 : bench.isQuick ? 8_000 : 18_000;
  const before = await watch(bench, beforeMs);
  await bench.sink.setRules([...fault.rules(), ...usual()]);
  const during = await watch(bench, faultMs);
  await bench.sink.setRules(usual());
  await bench.sink.release();
  const sinceMs = Date.now();
  const wanted = 0.9 * rateIn((await bench.sink.series(0))[hottest.sink] ?? [], 'accepted', before);
  const timeoutMs = bench.isControl ? 5_000 : recoversWithinMs;
  await waitForRate(bench, { sinceMs, perSecond: wanted, timeoutMs }).catch(() => undefined);
  // A flood may come a little after the first messages that go through.
  await bench.pause(bench.isControl ? 0 : 4_000);
  return { fault, before, during, after: { fromMs: sinceMs, untilMs: Date.now() } };
}

async function watch(bench: Bench, ms: number): Promise<Period> {
  const fromMs = Date.now();
  await bench.pause(ms);
  return { fromMs, untilMs: Date.now() };
}

/** Until the hottest takes so much again, over `smoothMs`. */
function waitForRate(
  bench: Bench,
  { sinceMs, perSecond, timeoutMs }: { sinceMs: number; perSecond: number; timeoutMs: number },
): Promise<void> {
  const isReached = async () => {
    const slots = (await bench.sink.series(sinceMs))[hottest.sink] ?? [];
    return (
      secondsUntilRate(slots, perSecond, { fromMs: sinceMs, untilMs: Date.now(), windowMs: smoothMs }) <
      Infinity
    );
  };
  return bench.waitUntil('the hottest destination to be fast', isReached, timeoutMs);
}

function judge(
  slots: Readonly<Record<string, readonly SeriesSlot[]>>,
  seen: readonly Seen[],
  whole: Period,
): Findings {
  const inSeconds = (ms: number) => (ms - whole.fromMs) / 1_000;
  const marks: Mark[] = seen.map(({ fault, during }) => ({
    name: fault.name,
    fromS: inSeconds(during.fromMs),
    untilS: inSeconds(during.untilMs),
  }));
  return {
    figures: seen.flatMap((one) => judgeFault(slots, one)),
    series: providers.map(({ name, sink }) => rateSeries(name, slots[sink] ?? [], whole)),
    marks,
  };
}

function judgeFault(
  slots: Readonly<Record<string, readonly SeriesSlot[]>>,
  { fault, before, during, after }: Seen,
): readonly Figure[] {
  const kept = others.map(({ sink }) => {
    const series = slots[sink] ?? [];
    return rateIn(series, 'accepted', during) / rateIn(series, 'accepted', before);
  });
  const hot = slots[hottest.sink] ?? [];
  const usualRate = rateIn(hot, 'accepted', before);
  const recovered = secondsUntilRate(hot, 0.9 * usualRate, { ...after, windowMs: smoothMs });
  const peak = Math.max(...countsOverWindows(hot, 'attempts', { ...after, windowMs: 1_000 }));
  const name = fault.name;
  return [
    { name: `${name}: least that another keeps`, value: Math.min(...kept), unit: 'of before', atLeast: 0.95 },
    { name: `${name}: recovered after`, value: recovered, unit: 's', atMost: recoversWithinMs / 1_000 },
    { name: `${name}: most in a second after`, value: peak / usualRate, unit: 'times before', atMost: 1.5 },
    { name: `${name}: hottest before`, value: usualRate, unit: 'messages/s' },
    { name: `${name}: hottest meanwhile`, value: rateIn(hot, 'accepted', during), unit: 'messages/s' },
  ];
}

function usual(): Rule[] {
  return providers.map(({ sink, replyMs }) => ({
    stage: 'dot',
    when: { provider: sink },
    action: { do: 'delay', ms: replyMs },
  }));
}

function onHottest(stage: Rule['stage'], action: Rule['action']): Rule {
  return { stage, when: { provider: hottest.sink }, action };
}

function stall(stage: Rule['stage']): Rule {
  return onHottest(stage, { do: 'stall' });
}
