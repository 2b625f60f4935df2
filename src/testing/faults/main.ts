/**
 * The fault suite: `npm run test:faults -- [options]`
 *
 *   (nothing)            every experiment, the quick mutants, and the nemesis with each of --seeds
 *   --seeds N,M          seeds of these nemeses (1,2)
 *   --only TEXT          experiments whose group or name contains it, and nothing else
 *   --mutants            every mutant: each must make its experiment fail
 *   --seed N --minutes M the nemesis with this seed for so long; prints its schedule. The same seed plays the same one
 *   --lanes N            installations side by side (3)
 *   --out FILE           writes the results as JSON, for docs/guarantees.md
 *   --counts FILE        writes how many passed and failed as vitest does, for npm test
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseRuns } from './choose-runs.ts';
import { formatOutcome } from './report.ts';
import { writeCounts, writeResults } from './results-file.ts';
import { runLanes } from './run-lanes.ts';
import { loadServiceScripts } from './service-scripts.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1,2' },
    lanes: { type: 'string', default: '3' },
    out: { type: 'string' },
    counts: { type: 'string' },
  },
});

const { sweepKilledRuns } = await loadServiceScripts();
await sweepKilledRuns(console.error);
const startedAt = performance.now();
const folder = newFolder();
const runs = chooseRuns(values, { distFolder: resolve('dist'), mutantsFolder: folder });
const outcomes = await runLanes({
  lanes: Math.min(Number(values.lanes), runs.length),
  runs,
  report: (outcome) => console.log(formatOutcome(outcome)),
}).finally(() => rmSync(folder, { recursive: true, force: true }));
const tookMs = performance.now() - startedAt;
if (values.out) writeResults(values.out, outcomes, tookMs);
if (values.counts) writeCounts(values.counts, outcomes);
const failed = outcomes.filter((outcome) => !outcome.isAsExpected).length;
console.log(`\n${outcomes.length - failed} passed, ${failed} failed, in ${Math.round(tookMs / 1000)} s`);
// Whatever a cut connection still waits for, the suite is over.
process.exit(failed === 0 && outcomes.length > 0 ? 0 : 1);

/** Below the checkout, so that a copy of the build finds node_modules. */
function newFolder(): string {
  const parent = resolve('.sluice/faults');
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'mutants-'));
}
