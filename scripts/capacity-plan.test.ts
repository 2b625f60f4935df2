import { expect, test } from 'vitest';
import { dearest, insertCapacityPlan, readPlayedCell, renderCapacityPlan } from './capacity-plan.ts';

const costs = {
  cpuMicros: { send: 140, render: 100, dispatcher: 30, scheduler: 10, mysql: 100, redis: 10 },
  ...{ redoBytes: 1_000, ledgerBytes: 100 },
  ...{ mysqlNetworkBytes: 500, redisCommands: 0.1, redisNetworkBytes: 1_500 },
};
const cell = { messagesPerSecond: 16_000, redisMegabytes: 48, statementsPerSecond: 8_000 };
const rowOf = (plan: string, what: string) => plan.split('\n').find((line) => line.startsWith(`| ${what} |`));

test('cells are made by what one takes, and workers by what a core does', () => {
  const plan = renderCapacityPlan(costs, cell);
  // 100 million an hour are 27,778 a second, and 51,389 in the busiest minute: 3.2 such cells.
  expect(rowOf(plan, 'in its busiest minute')).toBe(
    '| in its busiest minute | x 1.85 | 514 | 5,139 | 51,389 |',
  );
  expect(rowOf(plan, '**cells**')).toMatch(/\| 1 \| 1 \| 4 \|$/);
  // 12,847 a second of 140 µs are 1.8 cores, at 0.7 of a core each 2.6: three, and one to spare.
  expect(rowOf(plan, 'send workers')).toMatch(/\| 2 \| 3 \| 4 \|$/);
  // 12,847 a second of a quarter of a second each are 3,212 connections: of 100 each, 33 workers and one to spare.
  expect(rowOf(plan, 'send workers through one relay')).toMatch(/\| 3 \| 14 \| 34 \|$/);
  expect(rowOf(plan, 'MySQL: statements a second')).toMatch(/\| 257 \| 2,569 \| 6,424 \|$/);
  expect(rowOf(plan, 'Redis: MB')).toMatch(/\| 2 \| 16 \| 39 \|$/);
});

test('a leader that fills its core makes more cells', () => {
  const slow = { ...costs, cpuMicros: { ...costs.cpuMicros, dispatcher: 100 } };
  expect(rowOf(renderCapacityPlan(slow, cell), '**cells**')).toMatch(/\| 1 \| 1 \| 8 \|$/);
});

test('the dearest run counts, process by process, servers too', () => {
  const use = (cpuSeconds: number) => ({ cpuSeconds, peakMb: 1 });
  const runs = [
    { messages: 1_000, usage: { send: use(0.1), render: use(0.3) }, serverUsage: { mysql: use(0.1) } },
    { messages: 1_000, usage: { send: use(0.2), render: use(0.1) } },
  ];
  expect(dearest(runs)).toEqual({ send: 200, render: 300, mysql: 100 });
});

test('pages that lack what is needed are refused', () => {
  expect(() => insertCapacityPlan('# Operations', '.')).toThrow('needs <!-- capacity-plan');
  expect(() => readPlayedCell('# Black Friday')).toThrow('has no row');
});
