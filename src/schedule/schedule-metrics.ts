import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';

export function createScheduleMetrics(registry: Metrics) {
  const registers = [registry];
  return {
    started: new Counter({
      name: 'sluice_schedule_campaigns_started_total',
      help: 'Campaigns whose time had come',
      registers,
    }),
    recipients: new Counter({
      name: 'sluice_schedule_recipients_total',
      help: 'Recipients expanded into deliveries',
      registers,
    }),
    pageSeconds: new Histogram({
      name: 'sluice_schedule_page_seconds',
      help: 'Time to expand one page of an audience',
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
  };
}

export type ScheduleMetrics = ReturnType<typeof createScheduleMetrics>;
