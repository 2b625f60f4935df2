import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../../platform/metrics.ts';

export function createRenderMetrics(registry: Metrics) {
  const registers = [registry];
  return {
    rendered: new Counter({ name: 'sluice_render_messages_total', help: 'Messages rendered', registers }),
    skipped: new Counter({
      name: 'sluice_render_skipped_total',
      help: 'Recipients that got no message, by reason',
      labelNames: ['reason'],
      registers,
    }),
    bytes: new Counter({ name: 'sluice_render_bytes_total', help: 'Bytes put on the belt', registers }),
    grantSeconds: new Histogram({
      name: 'sluice_render_grant_seconds',
      help: 'Time to render one grant',
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
  };
}

export type RenderMetrics = ReturnType<typeof createRenderMetrics>;
