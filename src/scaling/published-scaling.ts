/**
 * The leader's decision, published: every process's API shows the same, and the next leader goes on from it. Its age is told by Redis, from what is left
 * of the key's hour: clocks are never compared. Lost with Redis, a new leader begins with the workers that live.
 */

import { z } from 'zod';
import type { RedisClient } from '../platform/redis.ts';
import type { PoolDecision } from './decide-pools.ts';
import { forEachPool, type Pools } from './pool.ts';

const version = 1;
const keptMs = 3_600_000;
const amount = z.number().nonnegative();
const reasons = ['backlog', 'scheduled', 'settling', 'minimum', 'maximum', 'database', 'step'] as const;

const publishedPool = z.object({
  desired: amount,
  reason: z.enum(reasons),
  idleMs: amount,
  lowMs: amount,
  lowPeak: amount,
  sinceUpMs: amount,
  live: amount,
  sendable: amount,
  upcoming: amount,
  busyPerSecond: amount,
  perSecondAndWorker: amount,
  databaseCap: amount,
});
const published = z.object({
  v: z.literal(version),
  pools: z.object({ render: publishedPool, send: publishedPool }),
});

export type PublishedPool = z.output<typeof publishedPool>;

export interface PublishedScaling {
  readonly pools: Pools<PublishedPool>;
  readonly ageMs: number;
}

function scalingKey(prefix: string): string {
  return `${prefix}:scaling`;
}

export function toPublished({ state, facts, live }: PoolDecision): PublishedPool {
  const { sendableMessages, upcomingMessages, busyPerSecond, perSecondAndWorker, databaseCap } = facts;
  return {
    ...state,
    ...{ live, busyPerSecond, perSecondAndWorker, databaseCap },
    sendable: sendableMessages,
    upcoming: upcomingMessages,
  };
}

/** Throws while Redis is away. */
export async function publishScaling(
  redis: RedisClient,
  prefix: string,
  decisions: Pools<PoolDecision>,
): Promise<void> {
  const pools = forEachPool((pool) => toPublished(decisions[pool]));
  await redis.set(scalingKey(prefix), JSON.stringify({ v: version, pools }), 'PX', keptMs);
}

/** Undefined: nothing was decided for an hour, or by a release that wrote it otherwise. Throws while Redis is away. */
export async function readScaling(redis: RedisClient, prefix: string): Promise<PublishedScaling | undefined> {
  const replies = await redis.pipeline().get(scalingKey(prefix)).pttl(scalingKey(prefix)).exec();
  const [text, leftMs] = (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  const parsed = published.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  return { pools: parsed.data.pools, ageMs: Math.max(0, keptMs - Number(leftMs)) };
}

function parseJson(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
