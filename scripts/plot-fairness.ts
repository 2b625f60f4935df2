/**
 * Draws docs/images/pacing/*.svg from a run of the fairness suite:
 *
 *   node dist/scripts/plot-fairness.js load-tests/results/fairness-....json
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FairnessFile } from '../src/testing/fairness/report.ts';
import { drawChart } from './plots/chart.ts';
import { chartsOf } from './plots/fairness-charts.ts';

const [path] = process.argv.slice(2);
if (!path) throw new Error('usage: plot-fairness.js RESULTS.json');
const folder = 'docs/images/pacing';
mkdirSync(folder, { recursive: true });
for (const { name, chart } of chartsOf(JSON.parse(readFileSync(path, 'utf8')) as FairnessFile)) {
  const file = join(folder, `${name}.svg`);
  writeFileSync(file, drawChart(chart));
  console.log(file);
}
