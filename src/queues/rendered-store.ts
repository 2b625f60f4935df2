/**
 * Rendered messages on their way from render to send: one binary value per grant, for two minutes, plus the segments of
 * each campaign's message, which every grant of it shares. Both are rebuilt by rendering anew.
 */

import { formatGrant, type Grant } from '../ledger/grant.ts';
import type { RedisClient } from '../platform/redis.ts';
import { payloadVersion } from '../render/payload.ts';

export interface RenderedStore {
  /** Stores a grant's messages; stores the segments too when they are not there (any more). */
  put(
    grant: Grant,
    rendered: Buffer,
    segments: { readonly digest: string; readonly bytes: Buffer },
  ): Promise<void>;
  /** The grant's messages; null where there are none (any more). */
  take(grant: Grant): Promise<Buffer | null>;
  getSegments(digest: string): Promise<Buffer | null>;
  drop(grant: Grant): Promise<void>;
}

const renderedTtlSeconds = 120;
const segmentsTtlSeconds = 900;

export function createRenderedStore(redis: RedisClient, prefix: string): RenderedStore {
  const renderedKey = (grant: Grant) => `${prefix}:rendered:${formatGrant(grant)}`;
  // The version is in the key: two releases that write them differently would each find them there and not readable, for as long as both render.
  const segmentsKey = (digest: string) => `${prefix}:segments:${payloadVersion}:${digest}`;

  return {
    async put(grant, rendered, { digest, bytes }) {
      const key = segmentsKey(digest);
      // Two commands of one moment, and no pipeline: of a cluster they lie on different nodes.
      const [, wasThere] = await Promise.all([
        redis.set(renderedKey(grant), rendered, 'EX', renderedTtlSeconds),
        redis.expire(key, segmentsTtlSeconds),
      ]);
      if (wasThere === 0) await redis.set(key, bytes, 'EX', segmentsTtlSeconds);
    },
    take(grant) {
      return redis.getBuffer(renderedKey(grant));
    },
    getSegments(digest) {
      return redis.getBuffer(segmentsKey(digest));
    },
    async drop(grant) {
      await redis.unlink(renderedKey(grant));
    },
  };
}
