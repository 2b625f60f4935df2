/** The plots of docs/black-friday.md. Pure. */
import type { DayResult, NaiveResult } from '../../src/testing/black-friday/play-day.ts';
import { hourMs, providers } from '../../src/testing/black-friday/published-day.ts';
import type { Sample } from '../../src/testing/black-friday/sample.ts';
import { cellLost, deploy, outage } from '../../src/testing/black-friday/trouble.ts';
import type { Chart, ChartLine } from '../plots/chart.ts';

export interface NamedChart {
  readonly name: string;
  readonly chart: Chart;
}

type NaiveSample = NaiveResult['samples'][number];
type At = { readonly atMs: number };

const fifo = 'one FIFO';
const perTenant = 'a queue per tenant';
const byPanic = 'scaled by CPU and panic';

const hours = { xLabel: 'hour of the day' };
const bands = [
  { name: `${outage.provider} away`, from: outage.fromMs / hourMs, until: outage.untilMs / hourMs },
  { name: 'deploy', from: deploy.fromMs / hourMs, until: deploy.untilMs / hourMs },
  { name: 'cell lost', from: cellLost.fromMs / hourMs, until: cellLost.untilMs / hourMs },
];

function line<S extends At>(name: string, samples: readonly S[], of: (sample: S) => number): ChartLine {
  return { name, points: samples.map((sample) => [round(sample.atMs / hourMs), round(of(sample))] as const) };
}

export function chartsOf(day: DayResult): readonly NamedChart[] {
  const { samples } = day.sluice;
  return [
    backlog(day),
    workers(samples),
    workersBesideNaive(day),
    peakBacklog(day),
    ...momentCharts(samples),
    redis(day),
    statements(day),
    firstAttempts(day),
  ];
}

function designOf(day: DayResult, title: string): NaiveResult {
  return day.naive.find((design) => design.title === title) as NaiveResult;
}

function naiveLine(day: DayResult, title: string, of: (sample: NaiveSample) => number): ChartLine {
  return line(title, designOf(day, title).samples, of);
}

function backlog(day: DayResult): NamedChart {
  const title = 'Messages of one cell that are due and were not tried yet';
  const of = (sample: { readonly backlog: number }) => sample.backlog / 1e6;
  return {
    name: 'backlog',
    chart: {
      ...{ title, ...hours, yLabel: 'millions', bands },
      lines: [
        line('Sluice', day.sluice.samples, of),
        ...[fifo, perTenant, byPanic].map((design) => naiveLine(day, design, of)),
      ],
    },
  };
}

function workers(samples: readonly Sample[]): NamedChart {
  return {
    name: 'workers',
    chart: {
      ...{ title: "One cell's workers", ...hours, yLabel: 'workers', bands },
      lines: [
        line('Sluice, send', samples, ({ sendWorkers }) => sendWorkers),
        line('Sluice, render', samples, ({ renderWorkers }) => renderWorkers),
      ],
    },
  };
}

function workersBesideNaive(day: DayResult): NamedChart {
  const ofBoth = ({ sendWorkers, renderWorkers }: Sample) => sendWorkers + renderWorkers;
  return {
    name: 'workers-naive',
    chart: {
      ...{ title: 'The same, with a fleet that follows its CPU', ...hours, yLabel: 'workers', bands },
      lines: [
        line('Sluice, send and render', day.sluice.samples, ofBoth),
        naiveLine(day, byPanic, (sample) => sample.workers),
      ],
    },
  };
}

function redis(day: DayResult): NamedChart {
  const of = ({ redisBytes }: { readonly redisBytes: number }) => redisBytes / 1e9;
  return {
    name: 'redis',
    chart: {
      ...{ title: "What one cell's Redis holds", ...hours, yLabel: 'GB', bands },
      lines: [
        line('Sluice', day.sluice.samples, of),
        ...[fifo, perTenant].map((design) => naiveLine(day, design, of)),
      ],
    },
  };
}

function statements(day: DayResult): NamedChart {
  const title = "Statements a second of one cell's MySQL";
  const of = ({ statementsPerSecond }: { readonly statementsPerSecond: number }) => statementsPerSecond;
  return {
    name: 'statements',
    chart: {
      ...{ title, ...hours, yLabel: 'statements a second', bands },
      lines: [line('Sluice', day.sluice.samples, of), naiveLine(day, byPanic, of)],
    },
  };
}

const minutes = { xLabel: 'minutes after 9:00' };
const minuteOf = ({ atMs }: At) => (atMs - 9 * hourMs) / 60_000;
const outageBand = [
  {
    ...{ name: `${outage.provider} away`, from: minuteOf({ atMs: outage.fromMs }) },
    until: minuteOf({ atMs: outage.untilMs }),
  },
];

function lineOfPeak<S extends At>(
  name: string,
  samples: readonly S[],
  { of, untilMinute }: { readonly of: (sample: S) => number; readonly untilMinute: number },
): ChartLine {
  const some = samples.filter((sample) => minuteOf(sample) >= -5 && minuteOf(sample) <= untilMinute);
  return { name, points: some.map((sample) => [minuteOf(sample), round(of(sample))] as const) };
}

function peakBacklog({ sluice, naive }: DayResult): NamedChart {
  const own = { of: ({ backlog }: { readonly backlog: number }) => backlog / 1e6, untilMinute: 180 };
  const shown = naive.filter(({ title }) => title !== perTenant);
  return {
    name: 'backlog-peak',
    chart: {
      ...{ title: 'The same, from the peak hour to noon', ...minutes, yLabel: 'millions', bands: outageBand },
      lines: [
        lineOfPeak('Sluice', sluice.samples, own),
        ...shown.map(({ title, samples }) => lineOfPeak(title, samples, own)),
      ],
    },
  };
}

/** The hour around the outage, provider by provider. */
function momentCharts(samples: readonly Sample[]): readonly NamedChart[] {
  const lines = (of: (sample: Sample, place: number) => number) =>
    ['gmail', 'yahoo', 'microsoft', 'tail'].map((name) => {
      const place = providers.findIndex((provider) => provider.name === name);
      return lineOfPeak(name, samples, { of: (sample) => of(sample, place), untilMinute: 90 });
    });
  const common = { ...minutes, bands: outageBand };
  return [
    {
      name: 'outage',
      chart: {
        ...{ title: 'The outage at the peak: sent by one cell', yLabel: 'messages a second', ...common },
        lines: lines((sample, place) => sample.sentByProvider[place] as number),
      },
    },
    {
      name: 'outage-backlog',
      chart: {
        ...{ title: 'The same: what waits in the cell', yLabel: 'millions', ...common },
        lines: lines((sample, place) => (sample.backlogByProvider[place] as number) / 1e6),
      },
    },
  ];
}

function firstAttempts(day: DayResult): NamedChart {
  const { waits } = day.sluice;
  const curve = (name: string, points: ReturnType<typeof waits.distribution>) => ({
    name,
    points: points.map(([seconds, share]) => [round(seconds), Math.round(share * 1e4) / 1e4] as const),
  });
  return {
    name: 'first-attempts',
    chart: {
      title: 'Time to first attempt, all messages of the day',
      xLabel: 'seconds from the scheduled time (logarithmic)',
      yLabel: 'share of messages',
      ...{ isLogX: true, leastTop: 1 },
      lines: [
        curve('Sluice, smallest', waits.distribution('smallest')),
        curve('Sluice, whales', waits.distribution('whales')),
        curve('FIFO, smallest', designOf(day, fifo).waits.distribution('smallest')),
        curve('per tenant, whales', designOf(day, perTenant).waits.distribution('whales')),
        curve('panic, smallest', designOf(day, byPanic).waits.distribution('smallest')),
      ],
    },
  };
}

function round(n: number): number {
  return Math.round(n * 1_000) / 1_000;
}
