import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { coldState, paceOf } from './learn.ts';
import { createPaceMetrics } from './pace-metrics.ts';

test('destinations are counted by rule and by breaker, whatever their number', async () => {
  const registry = new Registry();
  const cold = paceOf(coldState(0, {}, 10_000), 0);
  const open = { ...cold, breaker: 'open', limitedBy: 'breaker', connections: 2 } as const;
  createPaceMetrics(registry, () => [cold, open, open]);
  const text = await registry.metrics();
  expect(text).toContain('sluice_pacing_destinations{limited_by="breaker"} 2');
  expect(text).toContain('sluice_pacing_breakers{breaker="closed"} 1');
  expect(text).toContain('sluice_pacing_breakers{breaker="half_open"} 0');
  expect(text).toContain('sluice_pacing_connections 4');
});
