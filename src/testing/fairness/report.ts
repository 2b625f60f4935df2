/** What is printed and kept of a run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeMachine, readCommit } from '../measured-on.ts';
import { type Figure, holds } from './experiment.ts';
import type { Result } from './run-experiment.ts';

/** Kept as JSON: the plots of docs/pacing.md are made from it. */
export interface FairnessFile {
  readonly machine: string;
  readonly commit: string;
  readonly command: string;
  readonly at: string;
  readonly tookS: number;
  readonly results: readonly Result[];
}

export function formatResult(result: Result): string {
  const { name, mechanism, isControl, passed, error, figures, tookMs } = result;
  const what = isControl ? `${name}, without "${mechanism}"` : name;
  const verdict = passed ? (isControl ? 'harm  ' : 'ok    ') : isControl ? 'NO HARM' : 'FAILED';
  const lines = figures.map((figure) => `         ${formatFigure(figure)}`);
  return [
    `${verdict} ${what} (${Math.round(tookMs / 1_000)} s)`,
    ...(error === undefined ? [] : [`         ${error}`]),
    ...lines,
  ].join('\n');
}

function formatFigure(figure: Figure): string {
  const { name, value, unit, atMost, atLeast } = figure;
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${formatNumber(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${formatNumber(atMost)}`]),
  ];
  const judged = bounds.length === 0 ? '' : `   ${bounds.join(', ')}${holds(figure) ? '' : '   <-- broken'}`;
  return `${name.padEnd(44)} ${formatNumber(value).padStart(10)} ${unit.padEnd(14)}${judged}`.trimEnd();
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'none' : 'never';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

export function describeRun(results: readonly Result[], tookMs: number): FairnessFile {
  return {
    machine: describeMachine(),
    commit: readCommit(),
    command: `npm run test:fairness -- ${process.argv.slice(2).join(' ')}`.trim(),
    at: new Date().toISOString(),
    tookS: Math.round(tookMs / 1_000),
    results,
  };
}

/** Results are kept, the worse ones too. */
export function saveRun(file: FairnessFile): string {
  const name = `fairness-${file.at.slice(0, 16).replace(':', '')}-${file.commit}`;
  const path = join('load-tests/results', name);
  writeJson(`${path}.json`, file);
  writeFileSync(`${path}.txt`, formatRun(file));
  return `${path}.txt`;
}

export function writeJson(path: string, file: FairnessFile): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(file, (_, value) => roundNumber(value))}\n`);
}

/** JSON has no Infinity: `null` reads as "never". Raw series need no more than four digits after the point. */
function roundNumber(value: unknown): unknown {
  return typeof value === 'number' && Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 : value;
}

function formatRun({ machine, commit, command, at, tookS, results }: FairnessFile): string {
  const head = [
    `machine   ${machine}`,
    `commit    ${commit}`,
    `command   ${command}`,
    `at        ${at}, took ${tookS} s`,
  ];
  return `${[...head, ...results.flatMap((result) => ['', formatResult(result)])].join('\n')}\n`;
}
