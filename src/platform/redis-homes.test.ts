import keySlot from 'cluster-key-slot';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { homeOf, homes, spreadTag, tagsAwayFrom } from './redis-homes.ts';

const slots = 16_384;
const cluster = { isCluster: true };

test.each([3, 9, 27])('the first %i of a name lie in as many equal parts of the slots, one in each', (n) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9-]{1,32}$/), (name) => {
      const parts = Array.from({ length: n }, (_, i) =>
        Math.floor((keySlot(spreadTag(name, i)) * n) / slots),
      );
      expect(new Set(parts).size).toBe(n);
    }),
    { numRuns: 20 },
  );
});

test('all keys of one home lie in one slot, and homes in many', () => {
  const found = new Set<number>();
  for (let id = 1; id <= 1_000; id++) {
    const home = homeOf(cluster, 'sluice', id);
    const [one, two] = [keySlot(`${home}:slots:since`), keySlot(`${home}:slots:${id}`)];
    expect(one).toBe(two);
    found.add(one);
  }
  expect(found.size).toBe(homes);
});

test('homes have the same names in each release: workers of two releases share them', () => {
  expect(homeOf(cluster, 'sluice', 1)).toBe('{sluice:home-14-60}');
  expect(homeOf(cluster, 'sluice', 'd:123')).toBe('{sluice:home-25-59}');
});

test('on one Redis there is one home, named as ever', () => {
  expect(homeOf({ isCluster: false }, 'sluice', 7)).toBe('sluice');
});

test('away from a key lie two homes, each in another third of the slots than the key and the other', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9-]{1,32}$/), (key) => {
      const thirds = [key, ...tagsAwayFrom('sluice', key)].map((one) =>
        Math.floor((keySlot(one) * 3) / slots),
      );
      expect(new Set(thirds).size).toBe(3);
    }),
  );
  // The same in each release: one looks where another has put it.
  expect(tagsAwayFrom('sluice', 'a')).toEqual(['{sluice:home-15-120}', '{sluice:home-16-30}']);
});
