/** Compiled messages by digest, as render left them on the belt: fetched once per process and campaign. */
import { LRUCache } from 'lru-cache';
import type { RenderedStore } from '../queues/rendered-store.ts';
import type { CompiledMessage } from '../render/message.ts';
import { decodeSegments } from '../render/payload.ts';

export interface SegmentCache {
  /** Undefined when the belt has lost them: render puts them there again with the next grant. */
  get(digest: string): Promise<CompiledMessage | undefined>;
}

const cachedBytes = 64 * 1024 * 1024;

export function createSegmentCache(store: RenderedStore): SegmentCache {
  const cache = new LRUCache<string, CompiledMessage>({
    maxSize: cachedBytes,
    sizeCalculation: ({ segments }) => segments.reduce((sum, segment) => sum + segment.length, 1),
  });

  return {
    async get(digest) {
      const known = cache.get(digest);
      if (known) return known;
      const bytes = await store.getSegments(digest);
      if (!bytes) return undefined;
      const compiled = decodeSegments(bytes);
      cache.set(digest, compiled);
      return compiled;
    },
  };
}
