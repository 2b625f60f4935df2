/** README's table of the last whole run of the bench, made from what it kept in load-tests/results. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const markers = ['<!-- bench:start -->', '<!-- bench:end -->'] as const;
const folder = 'load-tests/results';

/** As the bench keeps it; only what the table shows. */
export interface KeptResult {
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: {
    readonly machine: string;
    readonly commit: string;
    readonly at: string;
    readonly command: string;
    readonly compared?: readonly KeptComparison[];
    readonly sent?: readonly {
      readonly recipients: number;
      readonly cpuMicros: number;
      readonly runs: readonly { readonly usage: KeptUsage }[];
    }[];
    readonly backlogs?: readonly {
      readonly recipients: number;
      readonly redisBytes: number;
      readonly expandPerSecond: number;
    }[];
    readonly basis?: Readonly<Record<string, string>>;
  };
}

type KeptUsage = Readonly<Record<string, { readonly peakMb: number } | undefined>>;
type KeptRuns = readonly { readonly messages: number; readonly seconds: number }[];

interface KeptComparison {
  readonly kilobytes: number;
  readonly pipeline: KeptRuns;
  readonly smtpSource: KeptRuns;
  readonly baseline: KeptRuns;
}

/** The README with the last result between its markers; unchanged without markers, or without a whole run. */
export function insertBenchTable(readme: string, root: string): string {
  const [start, end] = markers.map((marker) => readme.indexOf(marker)) as [number, number];
  const result = readLastResult(join(root, folder));
  if (start < 0 || end < start || !result) return readme;
  return `${readme.slice(0, start)}${markers[0]}\n${renderBenchTable(result)}${readme.slice(end)}`;
}

/** Runs of some parts, or of smaller sizes, are kept as well; the table is of whole ones. */
export function readLastResult(path: string): KeptResult | undefined {
  if (!existsSync(path)) return undefined;
  const results = readdirSync(path)
    .filter((name) => /^bench-.*\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as KeptResult);
  return results
    .filter(({ figures }) => figures.basis && !/--(quick|only)/.test(figures.command))
    .sort((a, b) => a.figures.at.localeCompare(b.figures.at))
    .at(-1);
}

export function renderBenchTable({ ratios, figures }: KeptResult): string {
  const { compared = [], sent = [], backlogs = [] } = figures;
  return [
    `${figures.machine}; ${figures.at.slice(0, 10)}, commit ${figures.commit}; \`${figures.command}\`.`,
    '',
    '| messages a second, ledger on | Sluice | C `smtp-source` | one job per recipient | of C | of the baseline |',
    '|---|---|---|---|---|---|',
    ...compared.map((one) => comparisonRow(one, ratios)),
    '',
    '| one campaign of | CPU a message, all processes | largest worker |',
    '|---|---|---|',
    ...sent.map(
      ({ recipients, cpuMicros, runs }) =>
        `| ${count(recipients)} | ${Math.round(cpuMicros)} µs | ${largestPeak(runs.at(-1)?.usage ?? {})} MB |`,
    ),
    '',
    '| pending at once | Redis | expanded a second |',
    '|---|---|---|',
    ...backlogs.map(
      ({ recipients, redisBytes, expandPerSecond }) =>
        `| ${count(recipients)} | ${(redisBytes / 2 ** 20).toFixed(1)} MB | ${count(Math.round(expandPerSecond))} |`,
    ),
    '',
  ].join('\n');
}

function comparisonRow(
  { kilobytes, pipeline, smtpSource, baseline }: KeptComparison,
  ratios: KeptResult['ratios'],
): string {
  const ratio = (name: string) => ratios[`${name}${kilobytes}KB`]?.toFixed(2) ?? 'not measured';
  const rates = [pipeline, smtpSource, baseline].map(medianRate);
  return `| ${kilobytes} KB | ${rates.join(' | ')} | ${ratio('pipelineVsC')} | ${ratio('pipelineVsBaseline')} x |`;
}

function medianRate(runs: KeptRuns): string {
  const rates = runs.map(({ messages, seconds }) => messages / seconds).sort((a, b) => a - b);
  const middle = (at: number) => rates[Math.floor(at)] as number;
  const [low, high] = [middle((rates.length - 1) / 2), middle(rates.length / 2)];
  return rates.length === 0 ? 'not measured' : count(Math.round((low + high) / 2));
}

function largestPeak(usage: KeptUsage): number {
  return Math.max(0, ...Object.values(usage).map((used) => used?.peakMb ?? 0));
}

function count(n: number): string {
  return n.toLocaleString('en-GB');
}
