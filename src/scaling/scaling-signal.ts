/**
 * The scaling signal: every few seconds the leading dispatcher reads, decides and publishes how many workers each pool should have. It starts nobody:
 * Kubernetes, or `npm run fleet`, does as it says.
 *
 * If we die here, the published numbers stand until the next leader adopts them. While MySQL or Redis is away nothing new is published; the API then answers
 * 503 rather than an old number, and whoever scales leaves the fleet as it is.
 */

import type { Clock } from '../platform/clock.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { RedisClient } from '../platform/redis.ts';
import {
  decidePools,
  type KnownPool,
  type PoolDecision,
  rememberPools,
  type ScalingFacts,
  type ScalingSettings,
} from './decide-pools.ts';
import { forEachPool, type Pools, poolNames, poolStateOf } from './pool.ts';
import { publishScaling, readScaling, toPublished } from './published-scaling.ts';
import { readScalingFacts, type ScalingSources } from './scaling-facts.ts';
import type { ScalingMetrics } from './scaling-metrics.ts';

export interface ScalingSignalOptions extends ScalingSources {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The dispatcher's own. */
  readonly leadership: Leadership;
  readonly metrics: ScalingMetrics;
  readonly settings: ScalingSettings;
  readonly everyMs: number;
}

export function createScalingSignal(options: ScalingSignalOptions): Loop {
  const { redis, prefix, clock, log, leadership, metrics, settings, everyMs } = options;
  /** Undefined: we don't lead, or have not decided anything yet. */
  let known: Pools<KnownPool> | undefined;
  let decidedAtMs = 0;

  async function pass(): Promise<'idle'> {
    if (await leadership.lead()) await decide();
    else forget();
    return 'idle';
  }

  function forget(): void {
    known = undefined;
    metrics.clear();
  }

  async function decide(): Promise<void> {
    const facts = await readScalingFacts(options);
    const nowMs = clock.monotonic();
    const before = known ?? (await adopt(facts));
    const elapsedMs = known ? nowMs - decidedAtMs : 0;
    const decisions = decidePools(before, facts, { settings, elapsedMs });
    await publishScaling(redis, prefix, decisions);
    note(before, decisions);
    known = rememberPools(decisions);
    decidedAtMs = nowMs;
    metrics.show(forEachPool((pool) => toPublished(decisions[pool])));
  }

  /** What the last leader decided; else as many as live, so that no restart sends workers home. */
  async function adopt(facts: ScalingFacts): Promise<Pools<KnownPool>> {
    const published = await readScaling(redis, prefix);
    return forEachPool((pool) => {
      if (!published) return { state: poolStateOf(facts.live[pool]) };
      const { desired, reason, idleMs, lowMs, lowPeak, sinceUpMs, perSecondAndWorker } =
        published.pools[pool];
      return { state: { desired, reason, idleMs, lowMs, lowPeak, sinceUpMs }, perSecondAndWorker };
    });
  }

  function note(before: Pools<KnownPool>, decisions: Pools<PoolDecision>): void {
    for (const pool of poolNames) {
      const { state, facts, live } = decisions[pool];
      if (state.desired === before[pool].state.desired) continue;
      const sendable = Math.round(facts.sendableMessages);
      log.info({ pool, workers: state.desired, live, sendable, why: state.reason }, 'workers wanted');
    }
  }

  return createLoop({ name: 'scaling-signal', log, idleMs: everyMs, pass });
}
