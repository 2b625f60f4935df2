import { Counter } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';

export function createFeedbackMetrics(registry: Metrics) {
  const registers = [registry];
  return {
    reports: new Counter({
      name: 'sluice_feedback_reports_total',
      help: 'Mails taken, by what they report; gone: about a delivery that is no longer kept',
      labelNames: ['kind'],
      registers,
    }),
    refusals: new Counter({
      name: 'sluice_feedback_refusals_total',
      help: 'Connections, recipients and mails not taken, by cause',
      labelNames: ['cause'],
      registers,
    }),
  };
}

export type FeedbackMetrics = ReturnType<typeof createFeedbackMetrics>;
