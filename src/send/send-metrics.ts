import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';

export function createSendMetrics(registry: Metrics) {
  const registers = [registry];
  return {
    outcomes: new Counter({
      name: 'sluice_send_outcomes_total',
      help: 'Attempts by what became of them; class says what a refusal was about',
      labelNames: ['outcome', 'class'],
      registers,
    }),
    grants: new Counter({
      name: 'sluice_send_grants_total',
      help: 'Grants by how they ended',
      labelNames: ['end'],
      registers,
    }),
    couriers: new Gauge({ name: 'sluice_send_couriers', help: 'Open connections', registers }),
    held: new Gauge({
      name: 'sluice_send_held_messages',
      help: 'Messages claimed and not settled',
      registers,
    }),
    senderPauses: new Counter({
      name: 'sluice_send_sender_pauses_total',
      help: 'Times a sending domain was made to rest because a destination refused it for policy',
      registers,
    }),
    signed: new Counter({
      name: 'sluice_send_signed_total',
      help: 'Messages that were given a DKIM signature; each once per intent',
      registers,
    }),
    unsignable: new Counter({
      name: 'sluice_send_unsignable_total',
      help: 'Times messages had to wait because a key of their domain can not be used',
      registers,
    }),
    openFailures: new Counter({
      name: 'sluice_send_open_failures_total',
      help: 'Connections that could not be opened, by cause',
      labelNames: ['cause'],
      registers,
    }),
    deliverSeconds: new Histogram({
      name: 'sluice_send_deliver_seconds',
      help: 'Time of one hand-over, from MAIL to the last reply',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    }),
  };
}

export type SendMetrics = ReturnType<typeof createSendMetrics>;
