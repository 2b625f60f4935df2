/**
 * Puts the fault suite's results into docs/guarantees.md, between the markers:
 *
 *   node dist/scripts/write-guarantees.js results.json [mutants.json]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ResultsFile } from '../src/testing/faults/results-file.ts';
import { formatExperiments } from './guarantees/experiments-table.ts';

const path = resolve('docs/guarantees.md');
const files = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')) as ResultsFile);
const page = readFileSync(path, 'utf8');
const [start, end] = ['<!-- experiments:start -->', '<!-- experiments:end -->'];
if (!page.includes(start) || !page.includes(end))
  throw new Error(`${path} needs the lines ${start} and ${end}`);
const before = page.slice(0, page.indexOf(start) + start.length);
writeFileSync(path, `${before}\n${formatExperiments(files)}${page.slice(page.indexOf(end))}`);
