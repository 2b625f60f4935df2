/** A run's figures as text. Pure. */

export interface SummaryMetric {
  readonly type: string;
  readonly contains: string;
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

type Metrics = Readonly<Record<string, SummaryMetric>>;

const trendColumns = ['count', 'med', 'p(95)', 'p(99)', 'max'] as const;
const unfailing = ['max>=0', 'count>=0'];
/** k6's own that say nothing about Sluice. */
const unwanted = /^(data_|vus|iteration|http_req_(?!duration|failed)|http_reqs|group_duration|checks)/;

export function formatSummary(metrics: Metrics, durationMs: number): string {
  const names = Object.keys(metrics)
    .filter((name) => !unwanted.test(name) && !isEmpty(name, metrics))
    .sort();
  const ofType = (type: string) => names.filter((name) => metrics[name]?.type === type);
  const lines = [
    `took ${(durationMs / 1_000).toFixed(0)} s; ${metrics.http_reqs?.values.count ?? 0} requests`,
    '',
    ...thresholdLines(metrics),
    '',
    row('times and sizes', [...trendColumns]),
    ...ofType('trend').map((name) => trendLine(name, metrics[name]!)),
    '',
    ...ofType('gauge').map((name) => row(name, [round(metrics[name]?.values.value)])),
    ...ofType('counter').map((name) => row(name, [round(metrics[name]?.values.count)])),
  ];
  return `${lines.join('\n')}\n`;
}

/** Of those with a tag, what never came. What counts as nothing without one is worth saying. */
function isEmpty(name: string, metrics: Metrics): boolean {
  const { count } = metrics[name]?.values ?? {};
  return name.includes('{') && count === 0;
}

/** Those that are there to keep a figure by its tag can't fail, and are not shown. */
function thresholdLines(metrics: Metrics): string[] {
  const all = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).map(([rule, { ok }]) => ({ name, rule, ok })),
  );
  return all
    .filter(({ rule }) => !unfailing.includes(rule))
    .map(({ name, rule, ok }) => `${ok ? 'ok    ' : 'FAILED'} ${name}  ${rule}`);
}

function trendLine(name: string, { values, contains }: SummaryMetric): string {
  const unit = contains === 'time' ? ' ms' : '';
  const cells = trendColumns.map((column) =>
    column === 'count' ? round(values.count) : `${round(values[column])}${unit}`,
  );
  return row(name, cells);
}

function row(name: string, cells: readonly string[]): string {
  return `${name.padEnd(52)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

function round(value: number | undefined): string {
  if (value === undefined) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
