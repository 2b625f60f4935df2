import fc from 'fast-check';
import { expect, it } from 'vitest';
import { destinationOf, tailBuckets } from './destination-key.ts';

it('is the transport as a whole where a relay spreads by itself', () => {
  expect(destinationOf('transport', 'gmail.com')).toBe('all');
});

it.each([
  ['gmail.com', 'gmail'],
  ['GoogleMail.com', 'gmail'],
  ['yahoo.fr', 'yahoo'],
  ['yahoo.co.uk', 'yahoo'],
  ['yahoo.com.br', 'yahoo'],
  ['aol.de', 'yahoo'],
  ['yahoo.co.jp', 'yahoo-japan'],
  ['hotmail.it', 'microsoft'],
  ['live.co.uk', 'microsoft'],
  ['outlook.com.tr', 'microsoft'],
  ['icloud.com', 'apple'],
  ['web.de', 'gmx'],
  ['wanadoo.fr', 'orange'],
  ['comcast.net', 'comcast'],
])('%s belongs to %s', (domain, provider) => expect(destinationOf('provider', domain)).toBe(provider));

it.each([
  'live.example.com',
  'mygmail.com',
  'gmail.com.evil.example',
  'constructor',
  '__proto__.de',
  'outlook.museum',
])('%s belongs to the tail', (domain) => expect(destinationOf('provider', domain)).toMatch(/^other-[0-7]$/));

it('keeps the keys that are already stored', () => {
  expect(
    ['example.com', 'example.org', 'acme.test'].map((d) => destinationOf('provider', d)),
  ).toMatchInlineSnapshot(`
    [
      "other-7",
      "other-5",
      "other-6",
    ]
  `);
});

it('spreads the tail evenly, whatever the case of its domains', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 8000; i++) {
    const key = destinationOf('provider', `shop-${i}.example`);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(tailBuckets);
  for (const count of counts.values()) expect(count).toBeGreaterThan(700);
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      expect(destinationOf('provider', domain.toUpperCase())).toBe(destinationOf('provider', domain));
    }),
  );
});
