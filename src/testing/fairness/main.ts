/**
 * The fairness suite: `npm run test:fairness -- [options]`
 *
 *   (nothing)     every experiment, each also without its mechanism; keeps the results in load-tests/results
 *   --quick       smaller, shorter and without controls, for CI; keeps nothing
 *   --only NAME   experiments whose name contains it
 *   --out FILE    writes the results as JSON there
 *   --no-controls leaves out the runs without the mechanism
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assertMutable } from '../faults/mutant.ts';
import { loadServiceScripts } from '../faults/service-scripts.ts';
import { experiments } from './experiments/all.ts';
import { type Installation, startInstallation } from './installation.ts';
import { describeRun, formatResult, saveRun, writeJson } from './report.ts';
import { type Result, runExperiment } from './run-experiment.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    'no-controls': { type: 'boolean', default: false },
  },
});

const chosen = experiments.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) throw new Error(`no experiment's name contains ${values.only}`);
const distFolder = resolve(import.meta.dirname, '../../..');
assertMutable(
  distFolder,
  experiments.flatMap(({ without }) => without),
);
const { sweepKilledRuns } = await loadServiceScripts();
await sweepKilledRuns(console.error);
const startedAt = performance.now();
const mutantsFolder = newFolder();
const installation = await startInstallation();
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(130));
try {
  const results = await runAll(installation);
  report(results);
  await end(results.every(({ passed }) => passed) ? 0 : 1);
} catch (error) {
  console.error(error);
  await end(1);
}

/** Ends every child; the second signal finds it at work. */
async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await installation.stop().catch(console.error);
  rmSync(mutantsFolder, { recursive: true, force: true });
  process.exit(code);
}

async function runAll(where: Installation): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const experiment of chosen) {
    for (const isControl of values['no-controls'] || values.quick ? [false] : [false, true]) {
      const options = { installation: where, experiment, isControl, isQuick: values.quick };
      const result = await runExperiment({ ...options, distFolder, mutantsFolder });
      if (isEnding) return results;
      console.log(formatResult(result));
      results.push(result);
    }
  }
  return results;
}

function report(results: readonly Result[]): void {
  const file = describeRun(results, performance.now() - startedAt);
  const failed = results.filter(({ passed }) => !passed).length;
  if (values.out !== undefined) writeJson(values.out, file);
  if (!values.quick && values.only === '') console.log(`\nkept as ${saveRun(file)}`);
  console.log(`\n${results.length - failed} passed, ${failed} failed, in ${file.tookS} s`);
}

/** Below the checkout, so that a copy of the build finds node_modules. */
function newFolder(): string {
  const parent = resolve('.sluice/fairness');
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'mutants-'));
}
