/** Several rows by their keys in one statement: bounded, and each a range of the primary key. */
import type { ChunkKey } from '../ledger/delivery-id.ts';
import { chunkWhere } from '../ledger/grant.ts';

export function batchesOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Where the chunks are: pass with the values of `chunkValues` of each. */
export function byKey(keys: readonly ChunkKey[]): string {
  return keys.map(() => `(${chunkWhere})`).join(' OR ');
}
