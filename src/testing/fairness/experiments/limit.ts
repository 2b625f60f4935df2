/** A provider that takes so many messages a second and tells nobody how many: its limit halves, then doubles. */
import type { SeriesSlot } from '../../smtp-sink/provider-series.ts';
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Figure, Findings } from '../experiment.ts';
import { countIn, type Period, rateIn, rateSeries, secondsUntilRate } from '../provider-slots.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutLearningRates } from '../without.ts';

const perSecond = 200;
/** The rate has converged when in five seconds so much of the limit is taken, and no more than so much is tried. */
const nearEnough = { taken: 0.8, tried: 1.05 };
const windowMs = 5_000;
const convergesWithinS = 60;
const mostOver = 0.01;

export const limit: Experiment = {
  name: 'limit',
  question:
    "A provider's limit halves, then doubles: does the rate converge within 60 s, with under 1 % of attempts over the limit?",
  mechanism: 'the rate is learnt from refusals',
  without: withoutLearningRates,
  run,
};

interface Phase extends Period {
  readonly name: string;
  readonly perSecond: number;
}

async function run(bench: Bench): Promise<Findings> {
  await prepare(bench);
  await setLimit(bench, perSecond);
  const startMs = Date.now();
  await bench.startWorkers();
  const phases: Phase[] = [];
  const lengths = bench.isControl ? [6, 8, 8] : bench.isQuick ? [12, 14, 18] : [20, 35, 45];
  for (const [i, name] of ['first', 'halved', 'doubled'].entries()) {
    const rateNow = name === 'halved' ? perSecond / 2 : perSecond;
    await setLimit(bench, rateNow);
    const fromMs = Date.now();
    await bench.pause((lengths[i] as number) * 1_000);
    phases.push({ name, perSecond: rateNow, fromMs, untilMs: Date.now() });
  }
  const slots = (await bench.sink.series(0)).gmail ?? [];
  return judge(slots, phases, startMs);
}

function setLimit({ sink }: Bench, messagesPerSecond: number): Promise<void> {
  return sink.limitProvider({ name: 'gmail', messagesPerSecond });
}

async function prepare({ tables, sink }: Bench): Promise<void> {
  const transportId = await createPlatformTransport(tables, { port: sink.port, destinationMode: 'provider' });
  const destination = await createDestination(tables, transportId, { name: 'gmail', domain: 'gmail.com' });
  const tenants = await createTenants(tables, [{}, {}, {}]);
  await createPeople(tables, tenants, [destination], 100);
  await createBacklogs(
    tables,
    tenants.map((tenantId) => ({ tenantId, destination, messages: 20_000 })),
  );
}

function judge(slots: readonly SeriesSlot[], phases: readonly Phase[], startMs: number): Findings {
  const [first, halved, doubled] = phases as [Phase, Phase, Phase];
  const changed = { fromMs: halved.fromMs, untilMs: doubled.untilMs };
  const attempts = countIn(slots, 'attempts', changed);
  const over = countIn(slots, 'tooFast', changed);
  return {
    figures: [
      ...[halved, doubled].map((phase) => convergence(slots, phase)),
      { name: 'attempts over the limit', value: over / attempts, unit: 'of attempts', atMost: mostOver },
      ...[first, halved, doubled].map((phase) => lastRate(slots, phase)),
      { name: 'attempts', value: attempts, unit: 'messages' },
      {
        name: 'over the limit while it was first learnt',
        value: countIn(slots, 'tooFast', first),
        unit: 'messages',
      },
    ],
    series: [
      { name: 'limit', unit: 'messages/s', points: limitPoints(phases, startMs) },
      rateSeries('taken', slots, { fromMs: startMs, untilMs: doubled.untilMs }),
      rateSeries('refused as too fast', slots, {
        fromMs: startMs,
        untilMs: doubled.untilMs,
        what: 'tooFast',
      }),
    ],
    marks: [halved, doubled].map(({ name, fromMs }) => ({ name, fromS: (fromMs - startMs) / 1_000 })),
  };
}

function convergence(slots: readonly SeriesSlot[], phase: Phase): Figure {
  const value = secondsUntilRate(slots, phase.perSecond * nearEnough.taken, {
    ...phase,
    windowMs,
    mostTried: phase.perSecond * nearEnough.tried,
  });
  return { name: `converged after it ${phase.name}`, value, unit: 's', atMost: convergesWithinS };
}

/** Of the second half of a phase: what is settled on. */
function lastRate(
  slots: readonly SeriesSlot[],
  { name, perSecond: limited, fromMs, untilMs }: Phase,
): Figure {
  const value = rateIn(slots, 'accepted', { fromMs: (fromMs + untilMs) / 2, untilMs }) / limited;
  return { name: `taken, ${name}`, value, unit: 'of the limit', ...(name !== 'first' && { atLeast: 0.75 }) };
}

function limitPoints(phases: readonly Phase[], startMs: number): [number, number][] {
  return phases.flatMap(({ fromMs, untilMs, perSecond: limited }): [number, number][] => [
    [(fromMs - startMs) / 1_000, limited],
    [(untilMs - startMs) / 1_000, limited],
  ]);
}
