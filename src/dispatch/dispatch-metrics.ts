import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';

export function createDispatchMetrics(registry: Metrics) {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `sluice_dispatch_${name}`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sluice_dispatch_${name}`, help, registers });
  return {
    grants: counter('grants_total', 'Grants put on the belt'),
    messages: counter('messages_total', 'Messages in those grants'),
    outstanding: gauge('outstanding_messages', 'Messages dispatched and not yet settled'),
    dueLanes: gauge('due_lanes', 'Lanes with work that is due'),
    takeovers: counter('takeovers_total', 'Chunks taken over because their lease was over'),
    doubted: counter('in_doubt_total', 'Deliveries that became in doubt at a takeover'),
    settled: counter('doubt_settled_total', 'Deliveries in doubt settled by policy'),
    completed: counter('campaigns_completed_total', 'Campaigns whose every recipient is settled'),
    passSeconds: new Histogram({
      name: 'sluice_dispatch_pass_seconds',
      help: 'Time of one dispatch pass',
      buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 2],
      registers,
    }),
  };
}

export type DispatchMetrics = ReturnType<typeof createDispatchMetrics>;
