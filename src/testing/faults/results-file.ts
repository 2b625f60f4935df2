/** The results of a run as a file: docs/guarantees.md is made from it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import type { Result } from './run-experiment.ts';
import type { Outcome } from './run-lanes.ts';

export interface ResultsFile {
  readonly commit: string;
  readonly at: string;
  readonly machine: string;
  readonly tookMs: number;
  readonly results: readonly (Result & {
    readonly withoutProtection?: string;
    readonly maySurvive?: string;
    readonly isAsExpected: boolean;
  })[];
}

export function writeResults(path: string, outcomes: readonly Outcome[], tookMs: number): void {
  const file: ResultsFile = {
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    at: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`,
    tookMs: Math.round(tookMs),
    results: outcomes.map(({ result, mutant, isAsExpected }) => ({
      ...result,
      ...(mutant && { withoutProtection: mutant.protection }),
      ...(mutant?.maySurvive && { maySurvive: mutant.maySurvive }),
      isAsExpected,
    })),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(file, undefined, 1)}\n`);
}

/** In the shape of vitest's own report: npm test adds them up. */
export function writeCounts(path: string, outcomes: readonly Outcome[]): void {
  const numPassedTests = outcomes.filter((outcome) => outcome.isAsExpected).length;
  const numFailedTests = outcomes.length - numPassedTests;
  const counts = { numPassedTests, numFailedTests, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  writeFileSync(path, JSON.stringify(counts));
}
