/** `GET /v1/platform/scaling`: how many workers each pool should have, in the shape that KEDA's metrics-api scaler reads. */

import { z } from 'zod';
import { AppError } from '../errors.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import type { RedisClient } from '../platform/redis.ts';
import { forEachPool } from './pool.ts';
import { type PublishedPool, readScaling } from './published-scaling.ts';

export interface ScalingViewParts {
  readonly redis: RedisClient;
  readonly prefix: string;
}

/** Older numbers are no numbers: whoever scales by them leaves the fleet as it is. */
const freshMs = 60_000;

const poolOut = z
  .object({
    desired_workers: z.int().meta({ description: 'Workers that the pool should have' }),
    live_workers: z.int().meta({ description: 'Workers that it has' }),
    reason: z
      .enum(['backlog', 'scheduled', 'settling', 'minimum', 'maximum', 'database', 'step'])
      .meta({ description: 'Why so many: docs/scale.md explains each' }),
    sendable_messages: z.int().meta({
      description:
        'That lanes, tenants, transports and destinations allow to leave within the target drain time',
    }),
    upcoming_messages: z
      .int()
      .meta({ description: 'Recipients of campaigns that begin within SCALE_AHEAD_SECONDS' }),
    messages_per_second: z.number().meta({ description: 'Answered now, the whole pool' }),
    messages_per_second_and_worker: z.number().meta({ description: 'What one worker does, as learnt' }),
    database_cap_workers: z.int().meta({ description: 'Most workers that the database has room for' }),
  })
  .meta({ id: 'ScalingPool' });

const scalingOut = z
  .object({
    pools: z.object({ render: poolOut, send: poolOut }),
    age_ms: z.int().meta({ description: 'Since the leading dispatcher decided' }),
  })
  .meta({ id: 'Scaling' });

export function scalingRoutes({ redis, prefix }: ScalingViewParts): Route[] {
  return [
    defineRoute({
      ...{ method: 'get', path: '/v1/platform/scaling', operationId: 'getScaling', tag: 'Scaling' },
      summary: 'How many workers each pool should have',
      description:
        'For autoscalers: KEDA’s metrics-api scaler reads `pools.send.desired_workers` with a target value of 1. Work that waits for a provider’s limit asks for no ' +
        'worker. 503 when nothing was decided for a minute: leave the fleet as it is then.',
      access: 'admin',
      problems: ['unavailable'],
      responses: { 200: { description: 'The same from every process', schema: scalingOut } },
      handle: async () => json(200, await show(redis, prefix)),
    }),
  ];
}

async function show(redis: RedisClient, prefix: string) {
  const scaling = await readScaling(redis, prefix).catch((cause) => {
    throw new AppError('unavailable', { detail: 'Redis is away', cause });
  });
  if (!scaling || scaling.ageMs > freshMs)
    throw new AppError('unavailable', { detail: 'No dispatcher has decided within the last minute' });
  return { pools: forEachPool((pool) => showPool(scaling.pools[pool])), age_ms: scaling.ageMs };
}

function showPool(pool: PublishedPool): z.output<typeof poolOut> {
  return {
    desired_workers: pool.desired,
    live_workers: pool.live,
    reason: pool.reason,
    sendable_messages: Math.round(pool.sendable),
    upcoming_messages: Math.round(pool.upcoming),
    messages_per_second: pool.busyPerSecond,
    messages_per_second_and_worker: pool.perSecondAndWorker,
    database_cap_workers: pool.databaseCap,
  };
}
