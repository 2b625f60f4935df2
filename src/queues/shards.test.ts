import { expect, test } from 'vitest';
import type { Grant } from '../ledger/grant.ts';
import type { GrantJob } from './jobs.ts';
import { parseShardList } from './shard-list.ts';
import { shardOf, shardPrefix } from './shards.ts';

const jobOf = (chunkNo: number, epoch: number): GrantJob => ({
  ...{ class: 'campaign', destinationId: 1, transportId: 1 },
  grants: [{ tenantId: 1, campaignId: 99, chunkNo, part: 202647, epoch, n: 500 } as Grant],
});

test.each([2, 4, 9])('a campaign’s chunks are spread evenly over %i shards', (shards) => {
  const counts = new Array<number>(shards).fill(0);
  for (let chunk = 0; chunk < 1_000 * shards; chunk++) {
    const shard = shardOf(jobOf(chunk, 1), shards);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test.each([1, 2])('a chunk whose epoch rises by %i comes to another shard half of the time', (step) => {
  const chunks = Array.from({ length: 1_000 }, (_, chunk) => chunk);
  const moved = chunks.filter((chunk) => shardOf(jobOf(chunk, 5), 2) !== shardOf(jobOf(chunk, 5 + step), 2));
  expect(Math.abs(moved.length - 500)).toBeLessThan(80);
});

test('the same job always comes to the same shard, and to the only one', () => {
  expect(shardOf(jobOf(7, 1), 9)).toBe(shardOf(jobOf(7, 1), 9));
  expect(shardOf(jobOf(7, 1), 1)).toBe(0);
});

test('names: the first shard of one Redis as before there were any; all others by tags that hang on nothing but prefix and number', () => {
  const names = (isCluster: boolean) =>
    [0, 1, 2].map((shard) => shardPrefix({ redis: { isCluster }, prefix: 'sluice' }, shard));
  expect(names(false)).toEqual(['sluice:belt', '{sluice:belt-1-37}', '{sluice:belt-2-129}']);
  expect(names(true)).toEqual(['{sluice:belt-0-22}', '{sluice:belt-1-37}', '{sluice:belt-2-129}']);
});

test.each([
  ['all', 'all'],
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['5,0-2,1', [0, 1, 2, 5]],
  ['26', [26]],
  ['27', undefined],
  ['3-1', undefined],
  ['', undefined],
  ['0-', undefined],
  ['-1', undefined],
  ['a', undefined],
])('QUEUE_SHARDS_READ=%s', (text, expected) => {
  expect(parseShardList(text)).toEqual(expected);
});
