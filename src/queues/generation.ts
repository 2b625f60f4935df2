/**
 * Tells whether Redis is still the one that was filled: the leader keeps a random key in each shard of the belt. When one is gone or
 * another (FLUSHALL, an empty restart), jobs are lost, and all dispatched chunks go back at once: those whose jobs lie in other shards, too, since no chunk
 * says where its job is. Their jobs end by themselves, being stale. A failover that lost the last seconds keeps the key: what it lost comes back when its 30 s are over.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { allShards, type Belt, shardPrefix } from './shards.ts';

export interface Generation {
  /**
   * True when a shard has lost what was put into it since the last call. Throws while Redis is away; where only nodes of a cluster are, the other
   * shards answer, and those are asked again a while later.
   */
  hasChanged(): Promise<boolean>;
}

/** Looking for a node that is away takes longer than a dispatch pass. */
const restMs = 2_000;

export function createGeneration(belt: Belt, clock: Clock): Generation {
  const shards = allShards(belt.shards).map((shard) => createShardGeneration(belt, shard));
  const restsUntil = new Map<Generation, number>();

  return {
    async hasChanged() {
      const nowMs = clock.monotonic();
      const awake = shards.filter((shard) => nowMs >= (restsUntil.get(shard) ?? 0));
      const asked = awake.length > 0 ? awake : shards;
      const answers = await Promise.allSettled(asked.map((shard) => shard.hasChanged()));
      for (const [i, { status }] of answers.entries()) {
        if (status === 'rejected') restsUntil.set(asked[i] as Generation, nowMs + restMs);
      }
      const [first] = answers;
      if (first?.status === 'rejected' && answers.every(({ status }) => status === 'rejected'))
        throw first.reason;
      return answers.some((answer) => answer.status === 'fulfilled' && answer.value);
    },
  };
}

function createShardGeneration(belt: Belt, shard: number): Generation {
  const { redis } = belt;
  const key = generationKey(belt, shard);
  let known: string | null | undefined;

  /** Not one SET with NX and GET: Redis takes them together only from 7.0 on. */
  async function setUnlessThere(made: string): Promise<string | null> {
    return (await redis.set(key, made, 'NX')) ? made : redis.get(key);
  }

  return {
    async hasChanged() {
      const found = await redis.get(key);
      const current = found ?? (await setUnlessThere(randomBytes(12).toString('hex')));
      const isFirstLook = known === undefined;
      const isSame = current === known;
      known = current;
      // A new leader that finds a key adopts it: the old leader's jobs are still there.
      return isFirstLook ? found === null : !isSame;
    },
  };
}

/** On one Redis that of the first shard is as it was before there were any. */
function generationKey(belt: Belt, shard: number): string {
  const isFirst = !belt.redis.isCluster && shard === 0;
  return `${isFirst ? belt.prefix : shardPrefix(belt, shard)}:generation`;
}
