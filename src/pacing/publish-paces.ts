/** Which paces are worth publishing, and how: everything in one pipeline. */
import type { RedisClient } from '../platform/redis.ts';
import type { Pace } from './pace.ts';
import { encodePace, type PublishedPace } from './pace-coding.ts';
import { closedKey, paceHome, paceKey, troubledKey } from './pace-keys.ts';

const keptMs = 3_600_000;
/** Less of a change in a window or rate is not worth a command; it is published with the next second's figures. */
const worthPart = 0.02;

/** Would a worker act otherwise on it? Figures that are only shown don't count. */
export function isNews(before: Pace | undefined, now: Pace): boolean {
  return (
    !before ||
    before.breaker !== now.breaker ||
    before.limitedBy !== now.limitedBy ||
    now.closedForMs > before.closedForMs ||
    differs(before.windowMessages, now.windowMessages) ||
    differs(before.learntPerSecond ?? 0, now.learntPerSecond ?? 0)
  );
}

function differs(before: number, now: number): boolean {
  return Math.abs(now - before) > worthPart * Math.max(before, now);
}

/** Throws while Redis is away. A pause outlives the pace's own hour: it may be a day. */
export async function publishPaces(
  redis: RedisClient,
  prefix: string,
  paces: ReadonlyMap<number, PublishedPace>,
): Promise<void> {
  if (paces.size === 0) return;
  const home = paceHome(redis, prefix);
  const pipeline = redis.pipeline();
  for (const [id, published] of paces) {
    const closedForMs = Math.ceil(published.pace.closedForMs);
    pipeline.set(paceKey(home, id), encodePace(published), 'PX', keptMs + closedForMs);
    if (closedForMs > 0) pipeline.set(closedKey(home, id), '1', 'PX', closedForMs);
    else pipeline.unlink(closedKey(home, id));
    if (published.pace.breaker === 'closed') pipeline.srem(troubledKey(home), id);
    else pipeline.sadd(troubledKey(home), id);
  }
  const failed = (await pipeline.exec())?.find(([error]) => error);
  if (failed?.[0]) throw failed[0];
}
