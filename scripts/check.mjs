import './node-version.mjs';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './setup.mjs';
import { runSteps } from './steps.mjs';
import { vitestStep } from './vitest-run.mjs';

/** `npm run check`: everything that needs no services. @type {import('./steps.mjs').Step[]} */
const STATIC_STEPS = [
  { name: 'format, lint, import rules', command: ['node_modules/@biomejs/biome/bin/biome', 'ci', '.'] },
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  { name: 'types of scripts', command: ['node_modules/typescript/bin/tsc', '-p', 'scripts/tsconfig.json'] },
  {
    name: 'types of load tests',
    command: ['node_modules/typescript/bin/tsc', '-p', 'load-tests/k6/tsconfig.json'],
  },
  { name: 'types of the image', command: ['scripts/image-types.mjs'] },
  { name: 'dead code', command: ['node_modules/knip/bin/knip.js'] },
];

/** @param {string} [reportFile] where vitest's counts go @returns {Promise<string[]>} the steps that failed */
export function runChecks(reportFile) {
  return runSteps([...STATIC_STEPS, vitestStep('unit tests', ['--project', 'unit'], { reportFile })]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureDependencies();
  const failed = await runChecks();
  if (failed.length > 0) {
    console.error(`\nfailed: ${failed.join('; ')}`);
    process.exitCode = 1;
  }
}
