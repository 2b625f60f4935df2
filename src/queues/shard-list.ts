/** `all`, or numbers of shards: `0-3`, `0,2,5-8`. */

/** As many as there may be: one does some five thousand jobs a second, and so many are spread evenly (`redis-homes.ts`). */
export const mostShards = 27;

const shape = /^\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*$/;

/** Undefined where it is neither; in order and each once. */
export function parseShardList(text: string): 'all' | readonly number[] | undefined {
  if (text === 'all') return 'all';
  if (!shape.test(text)) return undefined;
  const shards = text.split(',').flatMap(parseRange);
  const isValid = shards.length > 0 && shards.every((shard) => shard < mostShards);
  return isValid ? [...new Set(shards)].sort((a, b) => a - b) : undefined;
}

/** None where it ends before it begins. */
function parseRange(text: string): readonly number[] {
  const [from = 0, to = from] = text.split('-').map(Number);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
