import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestChunk, planChunks } from './plan-chunks.ts';

const profile = (id: number, domain: string) => ({
  id,
  email: `p${id}@${domain}`,
  emailHash: Buffer.alloc(16),
});
const byDomain = (domain: string) => domain;

test('a page is cut by destination, in order, into chunks of at most 500', () => {
  const page = Array.from({ length: 1_100 }, (_, i) => profile(i, i % 2 === 0 ? 'a.com' : 'b.com'));
  const chunks = planChunks(page, byDomain, 7);
  expect(chunks.map(({ chunkNo, destination, profiles }) => [chunkNo, destination, profiles.length])).toEqual(
    [
      [7, 'a.com', 500],
      [8, 'a.com', 50],
      [9, 'b.com', 500],
      [10, 'b.com', 50],
    ],
  );
  expect(planChunks([], byDomain, 7)).toEqual([]);
});

test('nobody is lost or doubled, no chunk is mixed, too large or empty, and numbers follow on', () => {
  const domains = fc.constantFrom('a.com', 'b.com', 'c.com', 'd.com');
  fc.assert(
    fc.property(fc.array(domains, { maxLength: 1_500 }), fc.nat(1_000), (page, first) => {
      const profiles = page.map((domain, id) => profile(id, domain));
      const chunks = planChunks(profiles, (domain) => (domain < 'c' ? 'one' : domain), first);
      const all = chunks.flatMap((chunk) => chunk.profiles.map(({ id }) => id));
      expect(all.sort((a, b) => a - b)).toEqual(profiles.map(({ id }) => id));
      expect(chunks.map(({ chunkNo }) => chunkNo)).toEqual(chunks.map((_, i) => first + i));
      for (const chunk of chunks) {
        expect(chunk.profiles.length).toBeGreaterThan(0);
        expect(chunk.profiles.length).toBeLessThanOrEqual(largestChunk);
      }
    }),
    { numRuns: 30 },
  );
});
