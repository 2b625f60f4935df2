/**
 * Where pacing keeps what the leader and the workers tell each other, in Redis. All of it can be lost: the fleet then starts cold.
 *
 * Of a cluster it is one slot, and so one node: it goes in pipelines, and is a line and a read of small values four times a second and worker (a hundred workers with a hundred
 * destinations each: 40,000 small commands a second, under a tenth of what a node can). Rates and connections, which every message hangs on, are spread.
 */
import type { RedisClient } from '../platform/redis.ts';
import { decodePace, type PublishedPace } from './pace-coding.ts';

/** What all keys below begin with; they take it as their `home`. */
export function paceHome(redis: RedisClient, prefix: string): string {
  return redis.isCluster ? `{${prefix}:pace}` : prefix;
}

/** A list of lines (`report-coding.ts`), oldest first. */
export function reportsKey(home: string): string {
  return `${home}:pace:reports`;
}

/** The published pace; expires when nothing was learnt for an hour. */
export function paceKey(home: string, destinationId: number): string {
  return `${home}:pace:${destinationId}`;
}

/** There as long as the destination may not be tried: its time to live says how long, by Redis's clock. */
export function closedKey(home: string, destinationId: number): string {
  return `${home}:pace:closed:${destinationId}`;
}

/** A set of the destinations whose breaker is not closed: what a new leader must know before its first pass. */
export function troubledKey(home: string): string {
  return `${home}:pace:troubled`;
}

/** A sorted set: send workers by the end of their term. */
export function workersKey(home: string): string {
  return `${home}:pace:workers`;
}

/**
 * Published paces with the time that is left of their pauses: one MGET and a PTTL for each, in the caller's pipeline. `from` is where its
 * replies begin in the pipeline's.
 */
export function askPaces(
  pipeline: ReturnType<RedisClient['pipeline']>,
  home: string,
  destinationIds: readonly number[],
): { read(replies: PipelineReplies, from: number): readonly (PublishedPace | undefined)[] } {
  if (destinationIds.length > 0) pipeline.mget(destinationIds.map((id) => paceKey(home, id)));
  for (const id of destinationIds) pipeline.pttl(closedKey(home, id));
  return {
    read(replies, from) {
      if (destinationIds.length === 0) return [];
      const texts = (valueAt(replies, from) ?? []) as readonly (string | null)[];
      return destinationIds.map((_, i) => {
        const found = decodePace(texts[i]);
        const closedForMs = Math.max(0, Number(valueAt(replies, from + 1 + i)));
        return found && { ...found, pace: { ...found.pace, closedForMs } };
      });
    },
  };
}

/** What ioredis answers for a pipeline; null when it was discarded. */
export type PipelineReplies = readonly (readonly [Error | null, unknown])[] | null;

/** A command's answer; throws what the command failed with. */
export function valueAt(replies: PipelineReplies, i: number): unknown {
  const [error, value] = replies?.[i] ?? [new Error('no answer from Redis'), undefined];
  if (error) throw error;
  return value;
}
