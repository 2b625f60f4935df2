/** The figures of a played day as tables. Pure; the same on the terminal and in docs/black-friday.md. */
import { cellPeakPerSecond, cells, type DayResult } from '../../src/testing/black-friday/play-day.ts';
import { hourMs, publishedDay } from '../../src/testing/black-friday/published-day.ts';
import { outage } from '../../src/testing/black-friday/trouble.ts';
import type { Percentiles, Waits } from '../../src/testing/black-friday/waits.ts';

export function whole(n: number): string {
  return Math.round(n).toLocaleString('en');
}

export function seconds(n: number): string {
  if (n < 10) return `${n.toFixed(1)} s`;
  return n < 600 ? `${Math.round(n)} s` : `${Math.round(n / 60)} min`;
}

/** Millions or billions. */
function large(n: number): string {
  return n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : `${(n / 1e6).toFixed(1)} million`;
}

function bytes(n: number): string {
  return n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : `${Math.round(n / 1e6)} MB`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cellsOfRow) => `| ${cellsOfRow.join(' | ')} |`)
    .join('\n');
}

export function highest<S>(samples: readonly S[], of: (sample: S) => number): number {
  return samples.reduce((most, sample) => Math.max(most, of(sample)), 0);
}

function sumOf<S>(samples: readonly S[], of: (sample: S) => number): number {
  return samples.reduce((sum, sample) => sum + of(sample), 0);
}

export function dayTable(day: DayResult): string {
  const { samples, refusedPart, inDoubt } = day.sluice;
  const peak = highest(samples, ({ sentPerSecond }) => sentPerSecond);
  const messages = day.campaigns.reduce((sum, campaign) => sum + campaign.messages, 0);
  const rows: readonly (readonly [string, string, string])[] = [
    ['tenants', whole(day.tenants), whole(publishedDay.tenants)],
    ['campaigns', whole(day.campaigns.length), whole(day.campaigns.length * cells)],
    ['messages scheduled', large(messages), large(messages * cells)],
    ['sent a second in the busiest minute', whole(peak), whole(peak * cells)],
    ['most waiting', large(highest(samples, ({ backlog }) => backlog)), ''],
    ['first time after the outage that nothing waits', clock(drainedAtMs(day)), ''],
    ['most send and render workers', workersOf(day, 1), workersOf(day, cells)],
    ['send worker hours', whole(workerHours(day)), whole(workerHours(day) * cells)],
    ['most bytes in Redis', bytes(highest(samples, ({ redisBytes }) => redisBytes)), ''],
    [
      'most statements a second',
      whole(highest(samples, ({ statementsPerSecond }) => statementsPerSecond)),
      '',
    ],
    ['statements per message', statementsPerMessage(day), ''],
    ['refused for pace (421), of all attempts', `${(refusedPart * 100).toFixed(2)} %`, ''],
    ['in doubt: on the wire of the outage and of the lost cell', whole(inDoubt), ''],
  ];
  return table(['', 'the cell', `x ${cells}`], rows);
}

function workersOf({ sluice: { samples } }: DayResult, times: number): string {
  const send = highest(samples, ({ sendWorkers }) => sendWorkers) * times;
  return `${send} and ${highest(samples, ({ renderWorkers }) => renderWorkers) * times}`;
}

function workerHours({ sluice: { samples } }: DayResult): number {
  return sumOf(samples, ({ sendWorkers }) => sendWorkers) / 60;
}

function statementsPerMessage({ sluice: { samples } }: DayResult): string {
  const made = sumOf(samples, ({ statementsPerSecond }) => statementsPerSecond);
  return (made / sumOf(samples, ({ sentPerSecond }) => sentPerSecond)).toFixed(3);
}

/** When what the outage left was gone: the first minute with less than a second of the peak waiting. */
function drainedAtMs({ sluice: { samples } }: DayResult): number {
  return samples.find(({ atMs, backlog }) => atMs > outage.untilMs && backlog < cellPeakPerSecond)?.atMs ?? 0;
}

function clock(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const hour = String(Math.floor(minutes / 60) % 24).padStart(2, '0');
  return `${hour}:${String(minutes % 60).padStart(2, '0')}${ms >= 24 * hourMs ? ' of the next day' : ''}`;
}

const groupNames = {
  smallest: 'smallest tenth of the tenants',
  others: 'the others',
  whales: 'largest hundredth',
};

/** p50, p95 and p99 by size of the tenant, for every design. */
export function waitsTable(day: DayResult): string {
  const designs = [{ title: '**Sluice**', waits: day.sluice.waits }, ...day.naive];
  const rows = designs.flatMap(({ title, waits }) =>
    (['smallest', 'others', 'whales'] as const).map((group) => [
      title,
      groupNames[group],
      ...three(waits, group),
    ]),
  );
  return table(['design', 'tenants', 'p50', 'p95', 'p99'], rows);
}

export function outageTable({ sluice: { waits } }: DayResult): string {
  const rows = (['smallest', 'whales'] as const).flatMap((group) =>
    [outage.provider, 'others'].map((where) => [
      groupNames[group],
      where === 'others' ? 'all other destinations' : where,
      ...three(waits, `${group}, ${where}`),
    ]),
  );
  return table(['tenants', 'destination', 'p50', 'p95', 'p99'], rows);
}

function three(waits: Waits, label: string): readonly string[] {
  const { p50, p95, p99 }: Percentiles = waits.percentiles(label);
  return [p50, p95, p99].map(seconds);
}

export function designsTable(day: DayResult): string {
  const rows = day.naive.map(({ title, samples, refusedPart }) => [
    title,
    large(highest(samples, ({ backlog }) => backlog)),
    `${(refusedPart * 100).toFixed(1)} %`,
    bytes(highest(samples, ({ redisBytes }) => redisBytes)),
    whole(highest(samples, ({ workers }) => workers)),
    `${whole(samples.filter(({ isDatabaseOverloaded }) => isDatabaseOverloaded).length)} min`,
  ]);
  const { samples, refusedPart } = day.sluice;
  const ours = [
    '**Sluice**',
    large(highest(samples, ({ backlog }) => backlog)),
    `${(refusedPart * 100).toFixed(1)} %`,
    bytes(highest(samples, ({ redisBytes }) => redisBytes)),
    whole(highest(samples, ({ sendWorkers, renderWorkers }) => sendWorkers + renderWorkers)),
    '0 min',
  ];
  return table(
    ['design', 'most waiting', 'refused', 'most in Redis', 'most workers', 'database overloaded'],
    [ours, ...rows],
  );
}
