/**
 * The fault suite: `npm run test:faults -- [options]`
 *
 *   --only TEXT       experiments whose name or group contains it
 *   --lanes N         installations side by side (3)
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { experiments } from './experiments/all.ts';
import { formatResult } from './report.ts';
import { runLanes } from './run-lanes.ts';
import { loadServiceScripts } from './service-scripts.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    lanes: { type: 'string', default: '3' },
  },
});

const distFolder = resolve('dist');
const { sweepKilledRuns } = await loadServiceScripts();
await sweepKilledRuns(console.error);
const chosen = experiments.filter(({ name, group }) => `${group} ${name}`.includes(values.only));
const startedAt = performance.now();
const results = await runLanes({
  lanes: Math.min(Number(values.lanes), chosen.length),
  runs: chosen.map((experiment) => ({ experiment, distFolder })),
  report: (_, result) => console.log(formatResult(result)),
});
const failed = results.filter((result) => !result.passed).length;
console.log(
  `\n${results.length - failed} passed, ${failed} failed, in ${Math.round((performance.now() - startedAt) / 1000)} s`,
);
// Whatever a cut connection still waits for, the suite is over.
process.exit(failed === 0 ? 0 : 1);
