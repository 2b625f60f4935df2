/** The published numbers as metrics, told by the leading dispatcher alone: sums over processes are then true. */
import { Gauge } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';
import { type Pools, poolNames } from './pool.ts';
import type { PublishedPool } from './published-scaling.ts';

const figures: readonly (readonly [string, string, (pool: PublishedPool) => number])[] = [
  ['desired_workers', 'Workers that the pool should have', (pool) => pool.desired],
  ['live_workers', 'Workers that the pool has', (pool) => pool.live],
  [
    'sendable_messages',
    'Messages that limits allow to leave within the target drain time',
    (pool) => pool.sendable,
  ],
  ['upcoming_messages', 'Recipients of campaigns that begin soon', (pool) => pool.upcoming],
  [
    'worker_messages_per_second',
    'What one worker does a second, as learnt',
    (pool) => pool.perSecondAndWorker,
  ],
  ['database_cap_workers', 'Most workers that the database has room for', (pool) => pool.databaseCap],
];

export interface ScalingMetrics {
  show(pools: Pools<PublishedPool>): void;
  /** Another leads: what was said last must not stay beside what it says. */
  clear(): void;
}

export function createScalingMetrics(registry: Metrics): ScalingMetrics {
  const gauges = figures.map(([name, help, of]) => ({
    of,
    gauge: new Gauge({ name: `sluice_scaling_${name}`, help, labelNames: ['pool'], registers: [registry] }),
  }));
  return {
    show(pools) {
      for (const pool of poolNames) for (const { gauge, of } of gauges) gauge.set({ pool }, of(pools[pool]));
    },
    clear() {
      for (const { gauge } of gauges) gauge.reset();
    },
  };
}
