import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { checkFiles } from './checks.ts';
import type { CodeFacts } from './code-facts.ts';
import { readCode } from './read-code.ts';
import { readFiles } from './read-manifests.ts';

const root = process.cwd();
let facts: CodeFacts;

beforeAll(async () => {
  facts = await readCode(root);
});

test('deploy/kubernetes names nothing that the code lacks, and every alert has its three steps', () => {
  const operationsPage = readFileSync('docs/operations.md', 'utf8');
  expect(checkFiles(readFiles(root), { facts, operationsPage })).toEqual([]);
});

test('the code is asked as it is: variables, programs, paths, and the series of every process', () => {
  expect(facts.variables.get('HEALTH_PORT')).toBe('9090');
  expect(facts.variables.has('SECRET_KEY')).toBe(true);
  expect(facts.parseEnvironment({ LOG_LEVEL: 'loud' })).toEqual([expect.stringContaining('LOG_LEVEL')]);
  expect([...facts.programs]).toEqual(
    expect.arrayContaining(['dist/src/server.js', 'dist/workers/send.js', 'dist/scripts/migrate.js']),
  );
  expect([...facts.healthPaths]).toEqual(['/livez', '/readyz', '/metrics']);
  expect(facts.apiPaths.has('/readyz')).toBe(true);
  expect(facts.metrics.get('sluice_send_outcomes_total')).toEqual({
    labels: ['outcome', 'class', 'process'],
    processes: ['send'],
  });
  expect(facts.metrics.get('sluice_dispatch_pass_seconds_bucket')?.labels).toContain('le');
  expect(facts.metrics.has('sluice_dispatch_pass_seconds')).toBe(false);
  expect(facts.metrics.get('process_start_time_seconds')?.processes).toHaveLength(6);
});
