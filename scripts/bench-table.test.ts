import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { insertBenchTable, type KeptResult } from './bench-table.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const readme = 'before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n';
afterAll(() => rmSync(root, { recursive: true }));

function keep(name: string, at: string, command = 'npm run bench --'): void {
  const runs = [1, 3, 2].map((seconds) => ({ messages: 6_000, seconds }));
  const usage = { api: { peakMb: 120 }, send: { peakMb: 240 } };
  const result: KeptResult = {
    ratios: { pipelineVsC10KB: 0.5, pipelineVsBaseline10KB: 12.345 },
    figures: {
      ...{ machine: '2 x CPU', commit: 'abc1234', at, command, basis: {} },
      compared: [{ kilobytes: 10, pipeline: runs, smtpSource: [], baseline: runs }],
      sent: [{ recipients: 1_000_000, cpuMicros: 201.4, runs: [{ usage }] }],
      backlogs: [{ recipients: 1_000_000, redisBytes: 3 * 2 ** 20, expandPerSecond: 51_234.5 }],
    },
  };
  mkdirSync(join(root, 'load-tests/results'), { recursive: true });
  writeFileSync(join(root, 'load-tests/results', name), JSON.stringify(result));
}

test('without a whole run, or without markers, nothing changes', () => {
  expect(insertBenchTable(readme, root)).toBe(readme);
  keep('bench-1.json', '2026-11-20T00:00:00Z', 'npm run bench -- --quick');
  keep('bench-2.json', '2026-11-20T00:00:00Z', 'npm run bench -- --only compared');
  expect(insertBenchTable(readme, root)).toBe(readme);
  keep('bench-3.json', '2026-11-21T00:00:00Z');
  expect(insertBenchTable('# Sluice', root)).toBe('# Sluice');
});

test('the last whole run is shown between the markers, and writing it twice changes nothing', () => {
  keep('bench-0.json', '2026-11-22T00:00:00Z');
  const written = insertBenchTable(readme, root);
  expect(written).toContain('2026-11-22, commit abc1234');
  expect(written).toContain('| 10 KB | 3,000 | not measured | 3,000 | 0.50 | 12.35 x |');
  expect(written).toContain('| 1,000,000 | 201 µs | 240 MB |');
  expect(written).toContain('| 1,000,000 | 3.0 MB | 51,235 |');
  expect(written.startsWith('before\n<!-- bench:start -->\n')).toBe(true);
  expect(written.endsWith('<!-- bench:end -->\nafter\n')).toBe(true);
  expect(insertBenchTable(written, root)).toBe(written);
});
