/**
 * Tells whether Redis is still the one that was filled: the leader keeps a random key in it. When the key is gone or
 * another (FLUSHALL, an empty restart), jobs are lost, and all dispatched chunks go back at once. A failover that lost the last
 * seconds keeps the key: what it lost comes back when its 30 s are over.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Generation {
  /** True when Redis has lost what was put into it since the last call. Throws while Redis is away. */
  hasChanged(): Promise<boolean>;
}

export function createGeneration(redis: Redis, prefix: string): Generation {
  const key = `${prefix}:generation`;
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
