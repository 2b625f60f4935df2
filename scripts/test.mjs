import './node-version.mjs';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { stateFolder } from './services/layout.mjs';
import { startServices } from './services.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';
import { runSteps } from './steps.mjs';
import { formatCounts, sumReports, vitestStep } from './vitest-run.mjs';

/**
 * `npm test`: the checks, the suites that need MySQL and Redis, and the fault suite. `npm test -- some/path -t 'a name'`: the
 * matching tests of all suites, and nothing else. The last line is the true count of tests.
 */
const reports = join(stateFolder, `reports-${process.pid}`);
const unitReport = join(reports, 'unit.json');
const servicesReport = join(reports, 'services.json');
const faultsReport = join(reports, 'faults.json');

try {
  mkdirSync(reports, { recursive: true });
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} finally {
  rmSync(reports, { recursive: true, force: true });
}

/** @param {string[]} filters @returns {Promise<boolean>} whether everything passed */
async function main(filters) {
  const failed = await runSuites(filters).catch((error) => {
    console.error(`\n${error.message}`);
    return ['it could not be run'];
  });
  const counts = sumReports([unitReport, servicesReport, faultsReport]);
  if (counts.passed + counts.failed === 0) failed.push('no test ran');
  if (failed.length > 0) console.log(`\nfailed: ${failed.join('; ')}`);
  console.log(`\n${formatCounts(counts)}`);
  return failed.length === 0 && counts.failed === 0;
}

/** @param {string[]} filters @returns {Promise<string[]>} what failed */
async function runSuites(filters) {
  const isAll = filters.length === 0;
  await ensureDependencies();
  const failedChecks = isAll ? await runChecks(unitReport) : [];
  const failedBuild = await ensureBuilt().then(
    () => [],
    (error) => [error.message],
  );
  const failedTests = await runWithServices(isAll ? ['--project', 'db', '--project', 'e2e'] : filters);
  const failedFaults = isAll ? await runFaults() : [];
  return [...failedChecks, ...failedBuild, ...failedTests, ...failedFaults];
}

/** It starts servers of its own, which it kills. @returns {Promise<string[]>} */
function runFaults() {
  const command = ['dist/src/testing/faults/main.js', '--counts', faultsReport];
  return runSteps([{ name: 'fault suite', command }]);
}

/** @param {string[]} args of vitest @returns {Promise<string[]>} */
async function runWithServices(args) {
  const services = await startServices({ instanceName: 'test' });
  console.log(`\nservices: ${services.describe}`);
  try {
    const urls = { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl };
    const env = { ...process.env, ...urls };
    return await runSteps([vitestStep('tests with services', args, { reportFile: servicesReport, env })]);
  } finally {
    await services.stop();
  }
}
