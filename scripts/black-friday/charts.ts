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

type At = { readonly atMs: number };

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
  const naive = (title: string) => day.naive.find((design) => design.title === title) as NaiveResult;
  const designs = ['one FIFO', 'a queue per tenant', 'scaled by CPU and panic'].map(naive);
  return [
    {
      name: 'backlog',
      chart: {
        ...{
          title: 'Messages of one cell that are due and were not tried yet',
          ...hours,
          yLabel: 'millions',
          bands,
        },
        lines: [
          line('Sluice', samples, ({ backlog }) => backlog / 1e6),
          ...designs.map(({ title, samples: own }) => line(title, own, ({ backlog }) => backlog / 1e6)),
        ],
      },
    },
    {
      name: 'workers',
      chart: {
        ...{ title: "One cell's workers", ...hours, yLabel: 'workers', bands },
        lines: [
          line('Sluice, send', samples, ({ sendWorkers }) => sendWorkers),
          line('Sluice, render', samples, ({ renderWorkers }) => renderWorkers),
        ],
      },
    },
    {
      name: 'workers-naive',
      chart: {
        ...{ title: 'The same, with a fleet that follows its CPU', ...hours, yLabel: 'workers', bands },
        lines: [
          line(
            'Sluice, send and render',
            samples,
            ({ sendWorkers, renderWorkers }) => sendWorkers + renderWorkers,
          ),
          ...designs.slice(2).map(({ title, samples: own }) => line(title, own, ({ workers }) => workers)),
        ],
      },
    },
    peakBacklog(day),
    ...momentCharts(samples),
    {
      name: 'redis',
      chart: {
        ...{ title: "What one cell's Redis holds", ...hours, yLabel: 'GB', bands },
        lines: [
          line('Sluice', samples, ({ redisBytes }) => redisBytes / 1e9),
          ...designs
            .slice(0, 2)
            .map(({ title, samples: own }) => line(title, own, ({ redisBytes }) => redisBytes / 1e9)),
        ],
      },
    },
    {
      name: 'statements',
      chart: {
        ...{
          title: "Statements a second of one cell's MySQL",
          ...hours,
          yLabel: 'statements a second',
          bands,
        },
        lines: [
          line('Sluice', samples, ({ statementsPerSecond }) => statementsPerSecond),
          ...designs
            .slice(2)
            .map(({ title, samples: own }) =>
              line(title, own, ({ statementsPerSecond }) => statementsPerSecond),
            ),
        ],
      },
    },
    firstAttempts(day),
  ];
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
  const shown = naive.filter(({ title }) => title !== 'a queue per tenant');
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

function firstAttempts({ sluice, naive }: DayResult): NamedChart {
  const of = (title: string) => naive.find((design) => design.title === title) as NaiveResult;
  const curve = (name: string, points: ReturnType<typeof sluice.waits.distribution>) => ({
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
        curve('Sluice, smallest', sluice.waits.distribution('smallest')),
        curve('Sluice, whales', sluice.waits.distribution('whales')),
        curve('FIFO, smallest', of('one FIFO').waits.distribution('smallest')),
        curve('per tenant, whales', of('a queue per tenant').waits.distribution('whales')),
        curve('panic, smallest', of('scaled by CPU and panic').waits.distribution('smallest')),
      ],
    },
  };
}

function round(n: number): number {
  return Math.round(n * 1_000) / 1_000;
}
