/** Which chart each experiment of the fairness suite becomes. Pure. */
import type { Mark, Series } from '../../src/testing/fairness/experiment.ts';
import type { FairnessFile } from '../../src/testing/fairness/report.ts';
import type { Chart, ChartLine } from './chart.ts';

type Result = FairnessFile['results'][number];

export interface NamedChart {
  readonly name: string;
  readonly chart: Chart;
}

/** Both runs of an experiment: as it is, and without its mechanism. */
interface Pair {
  readonly as: Result | undefined;
  readonly without: Result | undefined;
}

const overTime = { xLabel: 'seconds', yLabel: 'messages a second' };

const draw: Readonly<Record<string, (pair: Pair) => readonly NamedChart[]>> = {
  neighbour: ({ as, without }) => [
    {
      name: 'neighbour',
      chart: {
        title: '100 messages beside a neighbour with a million pending',
        ...times,
        lines: [...linesOf(as), ...linesOf(without, ', lanes not served in turn').slice(1)],
      },
    },
  ],
  transactional: ({ as, without }) => [
    {
      name: 'transactional',
      chart: {
        title: 'Transactional mail during a campaign flood',
        ...times,
        lines: [...linesOf(as), ...linesOf(without, ', classes not told apart')],
      },
    },
  ],
  zipf: ({ as, without }) => [
    {
      name: 'zipf',
      chart: {
        title: 'Served to tenants with a backlog, by weight 100',
        xLabel: 'tenants, largest first',
        yLabel: 'messages',
        lines: [...linesOf(as).slice(0, 1), ...linesOf(without, ', without turns').slice(0, 1)].map(
          (line) => ({ ...line, style: 'dots' as const }),
        ),
      },
    },
  ],
  destinations: ({ as, without }) => [
    {
      name: 'destinations',
      chart: { title: 'The hottest destination (gmail) fails three times', ...overTime, ...seriesOf(as) },
    },
    {
      name: 'destinations-without',
      chart: { title: 'The same without windows of their own', ...overTime, ...seriesOf(without) },
    },
  ],
  limit: ({ as }) => [
    {
      name: 'limit',
      chart: {
        title: "A provider's limit halves, then doubles",
        ...overTime,
        ...bandsOf(as?.marks),
        lines: linesOf(as).map((line) => ({
          ...line,
          ...(line.name === 'limit' && { style: 'dashed' as const }),
        })),
      },
    },
  ],
  rate: ({ as }) => [
    {
      name: 'rate',
      chart: {
        title: '150 messages a second: 1, 2, 4 send workers, and a restart of Redis',
        ...overTime,
        ...seriesOf(as),
        leastTop: 200,
      },
    },
  ],
  deferrals: ({ as }) => [
    {
      name: 'deferrals',
      chart: {
        title: 'A million deferrals fall due at once',
        ...overTime,
        ...bandsOf(as?.marks),
        lines: linesOf(as).filter(({ name }) => name !== 'database'),
      },
    },
    {
      name: 'deferrals-database',
      chart: {
        title: 'The database meanwhile',
        xLabel: 'seconds',
        yLabel: 'statements a second',
        ...bandsOf(as?.marks),
        lines: linesOf(as).filter(({ name }) => name === 'database'),
      },
    },
  ],
};

const times = {
  xLabel: 'ms from due to the first attempt (logarithmic)',
  yLabel: 'share of messages',
  isLogX: true,
  leastTop: 1,
} as const;

export function chartsOf(file: FairnessFile): readonly NamedChart[] {
  return Object.entries(draw).flatMap(([name, make]) => {
    const runs = file.results.filter((result) => result.name === name);
    const pair = {
      as: runs.find(({ isControl }) => !isControl),
      without: runs.find(({ isControl }) => isControl),
    };
    return make(pair).filter(({ chart }) => chart.lines.some((line) => line.points.length > 0));
  });
}

function linesOf(result: Result | undefined, suffix = ''): readonly ChartLine[] {
  return (result?.series ?? []).map(({ name, points }: Series) => ({ name: `${name}${suffix}`, points }));
}

function bandsOf(marks: readonly Mark[] = []): Pick<Chart, 'bands'> {
  return {
    bands: marks.map(({ name, fromS, untilS }) => ({
      name,
      from: fromS,
      ...(untilS !== undefined && { until: untilS }),
    })),
  };
}

function seriesOf(result: Result | undefined): Pick<Chart, 'lines' | 'bands'> {
  return { lines: linesOf(result), ...bandsOf(result?.marks) };
}
