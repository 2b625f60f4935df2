/**
 * Plays a published day on a virtual clock and writes docs/black-friday.md with its plots:
 *
 *   npm run simulate -- --day black-friday [--seed 1] [--quick]
 *
 * `--quick` plays the peak hour alone, prints its figures and writes nothing. The same seed makes the same report, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { playDay, quickDay, wholeDay } from '../src/testing/black-friday/play-day.ts';
import { chartsOf } from './black-friday/charts.ts';
import { dayTable, designsTable, outageTable, waitsTable } from './black-friday/figures.ts';
import { writeReport } from './black-friday/report.ts';
import { drawChart } from './plots/chart.ts';

const { values } = parseArgs({
  options: {
    day: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
});
if (values.day !== 'black-friday')
  throw new Error('usage: npm run simulate -- --day black-friday [--seed n] [--quick]');
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed)) throw new Error('--seed must be a whole number');

const startedAt = performance.now();
const day = playDay(values.quick ? quickDay : wholeDay, seed);
for (const figures of [dayTable, waitsTable, outageTable, designsTable]) console.log(`${figures(day)}\n`);
if (!values.quick) {
  const folder = 'docs/images/black-friday';
  mkdirSync(folder, { recursive: true });
  for (const { name, chart } of chartsOf(day)) writeFileSync(join(folder, `${name}.svg`), drawChart(chart));
  writeFileSync('docs/black-friday.md', writeReport(day, seed));
  console.log(`docs/black-friday.md and ${folder}/`);
}
console.log(`seed ${seed}: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
