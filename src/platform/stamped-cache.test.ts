import { expect, test } from 'vitest';
import { StampedCache } from './stamped-cache.ts';

/** What each owner has, and its stamp; says what was read. */
function stage(options: { max?: number } = {}) {
  const stored = new Map<number, string>();
  const reads: number[] = [];
  const stampQueries: number[] = [];
  const script = { beforeRead: async (_owner: number) => {} };
  const cache = new StampedCache<number, { text: string | undefined }>({
    max: options.max ?? 1_000,
    readStamps: async (owners) => {
      stampQueries.push(owners.length);
      return new Map(owners.flatMap((owner) => (stored.has(owner) ? [[owner, stored.get(owner)!]] : [])));
    },
    read: async (owner) => {
      reads.push(owner);
      const text = stored.get(owner);
      await script.beforeRead(owner);
      return { text };
    },
  });
  return { stored, reads, stampQueries, script, cache };
}

test('what is known is not read again, and an owner without anything is known, too', async () => {
  const { cache, stored, reads } = stage();
  stored.set(1, 'a');
  expect(cache.get(1)).toBeUndefined();
  expect([await cache.load(1), await cache.load(2), await cache.load(1)]).toEqual([
    { text: 'a' },
    { text: undefined },
    { text: 'a' },
  ]);
  await cache.refresh();
  expect(cache.get(1)).toEqual({ text: 'a' });
  expect(reads).toEqual([1, 2]);
});

test('a refresh reads what has changed, come or gone, and nothing else', async () => {
  const { cache, stored, reads } = stage();
  for (const owner of [1, 2, 3]) stored.set(owner, 'a');
  for (const owner of [1, 2, 3, 4]) await cache.load(owner);
  stored.set(1, 'b');
  stored.delete(2);
  stored.set(4, 'c');
  await cache.refresh();
  expect([1, 2, 3, 4].map((owner) => cache.get(owner)?.text)).toEqual(['b', undefined, 'a', 'c']);
  expect(reads.slice(4).sort()).toEqual([1, 2, 4]);
});

test('all who ask at once wait for one reading; one that failed is tried again', async () => {
  const { cache, reads, script } = stage();
  script.beforeRead = () => Promise.reject(new Error('away'));
  expect(await Promise.allSettled([cache.load(1), cache.load(1)])).toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ]);
  expect(reads).toEqual([1]);
  script.beforeRead = async () => {};
  expect(await cache.load(1)).toEqual({ text: undefined });
});

test('what stood stands while it can not be read', async () => {
  const { cache, stored, script } = stage();
  stored.set(1, 'a');
  await cache.load(1);
  stored.set(1, 'b');
  script.beforeRead = () => Promise.reject(new Error('away'));
  await expect(cache.refresh()).rejects.toThrow('away');
  expect(cache.get(1)).toEqual({ text: 'a' });
});

test('what changes between its stamp and its reading is read anew at the next refresh', async () => {
  const { cache, stored, script } = stage();
  stored.set(1, 'a');
  const loading = cache.load(1);
  stored.set(1, 'b');
  await loading;
  await cache.refresh();
  expect(cache.get(1)).toEqual({ text: 'b' });
  script.beforeRead = async () => void stored.set(1, 'd');
  stored.set(1, 'c');
  await cache.refresh();
  expect(cache.get(1)).toEqual({ text: 'c' });
  script.beforeRead = async () => {};
  await cache.refresh();
  expect(cache.get(1)).toEqual({ text: 'd' });
});

test('stamps are asked for five hundred at a time, of no more owners than are kept', async () => {
  const { cache, stampQueries } = stage({ max: 700 });
  for (let owner = 1; owner <= 900; owner++) await cache.load(owner);
  stampQueries.length = 0;
  await cache.refresh();
  expect(stampQueries).toEqual([500, 200]);
});
