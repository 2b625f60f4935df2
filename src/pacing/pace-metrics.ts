/** The leader's figures of all destinations. Counted by rule and by breaker, never one series per destination: there may be many thousands. */
import { Gauge } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';
import { limitingRules, type Pace } from './pace.ts';

const breakers: readonly Pace['breaker'][] = ['closed', 'open', 'half_open'];

/** `paces` is asked when the metrics are read. */
export function createPaceMetrics(registry: Metrics, paces: () => Iterable<Pace>): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_pacing_destinations',
    help: 'Destinations used in the last hour, by the rule that limits them',
    labelNames: ['limited_by'],
    registers,
    collect() {
      for (const rule of limitingRules)
        this.set(
          { limited_by: rule },
          count(paces(), (p) => p.limitedBy === rule),
        );
    },
  });
  new Gauge({
    name: 'sluice_pacing_breakers',
    help: 'Destinations used in the last hour, by the state of their breaker',
    labelNames: ['breaker'],
    registers,
    collect() {
      for (const state of breakers)
        this.set(
          { breaker: state },
          count(paces(), (p) => p.breaker === state),
        );
    },
  });
  createSums(registry, paces);
}

function createSums(registry: Metrics, paces: () => Iterable<Pace>): void {
  const sum = (name: string, help: string, of: (pace: Pace) => number) =>
    new Gauge({
      name: `sluice_pacing_${name}`,
      help,
      registers: [registry],
      collect() {
        let total = 0;
        for (const pace of paces()) total += of(pace);
        this.set(total);
      },
    });
  sum('in_flight_messages', 'Messages the send workers hold', (pace) => pace.inFlight);
  sum('connections', 'Connections the send workers hold', (pace) => pace.connections);
  sum(
    'answered_per_second',
    'Messages answered a second, all destinations',
    (pace) => pace.measuredPerSecond,
  );
}

function count(paces: Iterable<Pace>, is: (pace: Pace) => boolean): number {
  let n = 0;
  for (const pace of paces) if (is(pace)) n++;
  return n;
}
