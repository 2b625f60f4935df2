import { existsSync, readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @param {string} name
 * @param {string[]} args
 * @param {{ reportFile?: string | undefined, env?: NodeJS.ProcessEnv }} [options]
 * @returns {import('./steps.mjs').Step}
 */
export function vitestStep(name, args, { reportFile, env = process.env } = {}) {
  const report = reportFile
    ? ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
    : [];
  return { name, command: ['node_modules/vitest/vitest.mjs', 'run', ...args, ...report], env };
}

/**
 * The counts of vitest's own reports. A file that could not even be loaded has no tests to count and is one
 * failure; a run that left no report counts as nothing.
 * @param {string[]} reportFiles
 * @returns {Counts}
 */
export function sumReports(reportFiles) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const file of reportFiles.filter((path) => existsSync(path))) {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests + report.testResults.filter(isUnloaded).length;
    sum.skipped += report.numPendingTests + report.numTodoTests;
  }
  return sum;
}

/** @param {Counts} counts @returns {string} the line that continuous integration reads */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {{ status: string, assertionResults: unknown[] }} file */
function isUnloaded(file) {
  return file.status === 'failed' && file.assertionResults.length === 0;
}
