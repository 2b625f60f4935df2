/**
 * Rendered messages on their way from render to send: one binary value per grant, for two minutes, plus the segments of
 * each campaign's message, which every grant of it shares. Both are rebuilt by rendering anew.
 */

import { formatGrant, type Grant } from '../ledger/grant.ts';
import type { RedisClient } from '../platform/redis.ts';
import { SegmentCopies } from './segment-copies.ts';

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

export function createRenderedStore(redis: RedisClient, prefix: string): RenderedStore {
  const renderedKey = (grant: Grant) => `${prefix}:rendered:${formatGrant(grant)}`;
  const copies = new SegmentCopies(redis, prefix);

  return {
    async put(grant, rendered, { digest, bytes }) {
      // Of one moment, and no pipeline: of a cluster they lie on different nodes.
      await Promise.all([
        redis.set(renderedKey(grant), rendered, 'EX', renderedTtlSeconds),
        copies.keep(digest, bytes),
      ]);
    },
    take(grant) {
      return redis.getBuffer(renderedKey(grant));
    },
    getSegments(digest) {
      return copies.get(digest);
    },
    async drop(grant) {
      await redis.unlink(renderedKey(grant));
    },
  };
}
