import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatCounts, sumReports } from './vitest-run.mjs';

/** @type {string} */
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** @param {string} name @param {object} report */
function write(name, report) {
  const file = join(folder, name);
  const empty = {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
  };
  writeFileSync(file, JSON.stringify({ ...empty, ...report }));
  return file;
}

test('the counts of all runs are added up', () => {
  const files = [
    write('a.json', { numPassedTests: 3, numFailedTests: 1 }),
    write('b.json', { numPassedTests: 4, numPendingTests: 1, numTodoTests: 1 }),
  ];
  expect(sumReports(files)).toEqual({ passed: 7, failed: 1, skipped: 2 });
});

test('a file that could not be loaded is a failure although it has no tests', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [{}] },
    { status: 'passed', assertionResults: [{}] },
  ];
  const file = write('a.json', { numPassedTests: 1, numFailedTests: 1, testResults });
  expect(sumReports([file])).toEqual({ passed: 1, failed: 2, skipped: 0 });
});

test('a run that left no report counts as nothing', () => {
  expect(sumReports([join(folder, 'missing.json')])).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test('the closing line names skipped tests only if there are any', () => {
  expect(formatCounts({ passed: 7, failed: 0, skipped: 0 })).toBe('7 passed, 0 failed');
  expect(formatCounts({ passed: 7, failed: 1, skipped: 2 })).toBe('7 passed, 1 failed, 2 skipped');
});
