/** The composition of the scaling signal, which runs beside the dispatcher and by its lead. */

import type { Config } from './config.ts';
import type { PaceLearner } from './pacing/pace-learner.ts';
import { readPaces } from './pacing/read-paces.ts';
import type { Clock } from './platform/clock.ts';
import type { Leadership } from './platform/leadership.ts';
import type { Log } from './platform/log.ts';
import type { Loop } from './platform/loop.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Sql } from './platform/mysql.ts';
import type { RedisClient } from './platform/redis.ts';
import type { ScalingSettings } from './scaling/decide-pools.ts';
import { createScalingMetrics } from './scaling/scaling-metrics.ts';
import { createScalingSignal } from './scaling/scaling-signal.ts';
import type { DestinationLimitsSource } from './transport-settings/destination-limits-source.ts';

/** As much of the platform as it takes. */
interface ScalingPlatform {
  readonly config: Config;
  readonly db: Sql;
  readonly redis: RedisClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the dispatcher knows anyway. */
interface DispatcherParts {
  readonly leadership: Leadership;
  readonly paces: PaceLearner;
  readonly destinationLimits: DestinationLimitsSource;
}

export function wireScalingSignal(
  { config, db, redis, clock, log, metrics }: ScalingPlatform,
  { leadership, paces, destinationLimits }: DispatcherParts,
): Loop {
  return createScalingSignal({
    ...{ db, redis, prefix: config.REDIS_PREFIX, clock, log, leadership },
    paceOf: (id) => paces.paceOf(id),
    publishedPaces: (ids) => readPaces(redis, config.REDIS_PREFIX, ids),
    paces: () => paces.paces(),
    limitsOf: (id) => destinationLimits.limitsOf(id),
    drainSeconds: config.SCALE_TARGET_DRAIN_SECONDS,
    aheadSeconds: config.SCALE_AHEAD_SECONDS,
    metrics: createScalingMetrics(metrics),
    settings: scalingSettings(config),
    everyMs: config.SCALE_EVERY_MS,
  });
}

function scalingSettings(config: Config): ScalingSettings {
  const common = {
    drainSeconds: config.SCALE_TARGET_DRAIN_SECONDS,
    idleMs: config.SCALE_IDLE_SECONDS * 1_000,
    downAfterMs: config.SCALE_DOWN_AFTER_SECONDS * 1_000,
  };
  const pool = (min: number, max: number, configuredRate: number) => ({
    ...common,
    ...{ min: Math.min(min, max), max, configuredRate },
  });
  return {
    pools: {
      render: pool(config.SCALE_RENDER_MIN, config.SCALE_RENDER_MAX, config.SCALE_RENDER_RATE),
      send: pool(config.SCALE_SEND_MIN, config.SCALE_SEND_MAX, config.SCALE_SEND_RATE),
    },
    fleetConnections: config.DATABASE_FLEET_CONNECTIONS,
    statementsPerWorker: config.SCALE_STATEMENTS_PER_WORKER,
  };
}
