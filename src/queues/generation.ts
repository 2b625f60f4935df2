/**
 * Tells whether Redis is still the one that was filled: the leader keeps a random key in it. When the key is gone or
 * another (FLUSHALL, an empty restart, a failover that lost the last seconds), jobs may be lost, and all dispatched chunks go back.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Generation {
  /** True when Redis has lost what was put into it since the last call. Throws while Redis is away. */
  hasChanged(): Promise<boolean>;
}

export function createGeneration(redis: Redis, prefix: string): Generation {
  const key = `${prefix}:generation`;
  let known: string | undefined;

  return {
    async hasChanged() {
      const made = randomBytes(12).toString('hex');
      const previous = await redis.set(key, made, 'NX', 'GET');
      const current = previous ?? made;
      const isFirstLook = known === undefined;
      const isSame = current === known;
      known = current;
      // A new leader that finds a key adopts it: the old leader's jobs are still there.
      return isFirstLook ? previous === null : !isSame;
    },
  };
}
