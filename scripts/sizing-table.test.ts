import { expect, test } from 'vitest';
import { measuredRuns, plainRuns } from './bench-usage.ts';
import { insertSizingTable, renderSizingTable } from './sizing-table.ts';

const usage = (cpuSeconds: number, peakMb: number) => ({ send: { cpuSeconds, peakMb } });

test('runs are found wherever a version of the bench keeps them', () => {
  const run = { messages: 1_000, usage: usage(2, 300) };
  const result = {
    figures: { sizes: [{ pipeline: run, baseline: { messages: 9, peakMb: 1 } }], other: [[run]] },
  };
  expect(measuredRuns(result)).toEqual([run, run]);
});

test('a fleet is sized by what was sent plainly, not by signed runs or by those of several workers', () => {
  const run = { messages: 1_000, usage: usage(2, 300) };
  const aside = { messages: 1_000, usage: { ...usage(9, 500), 'send-2': { cpuSeconds: 0, peakMb: 1 } } };
  const figures = {
    compared: [{ pipeline: [run] }],
    sent: [{ runs: [run] }],
    signing: { runs: [aside] },
    sendWorkers: [aside],
  };
  expect(plainRuns({ figures })).toEqual([run, run]);
});

test('the table has the range of rates and the highest peak of each process', () => {
  const runs = [
    { messages: 1_000, usage: usage(2, 300) },
    { messages: 1_000, usage: usage(4, 280) },
  ];
  const table = renderSizingTable(runs, { file: 'load-tests/results/bench-x.json', machine: 'one' });
  expect(table).toContain('| send | 250 to 500 | 300 MB |');
});

test('a page without the markers is refused', () => {
  expect(() => insertSizingTable('# Operations', '.')).toThrow('needs <!-- sizing:FILE:start -->');
});
