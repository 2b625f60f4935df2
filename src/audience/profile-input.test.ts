import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePlainProfile, parseProfile } from './profile-input.ts';

const email = fc.constantFrom('ada@example.com', ' Zoë@Bücher.example ', 'nobody', '', 7, null);
const phone = fc.constantFrom('+4915112345678', '0151', '', null, 15);
const timeZone = fc.constantFrom('Europe/Berlin', 'Nowhere', '', null, false);
const name = fc.constantFrom('a', 'first_name', 'a b', '__proto__', 'email', 'constructor', '');
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('\ud800', 1e300, 'ä', [null]));
const attributes = fc.oneof(fc.dictionary(name, value, { maxKeys: 4 }), value);
const consent = fc.constantFrom(
  null,
  {},
  {
    status: 'subscribed',
    source: 'checkout',
    at: '2026-01-01T00:00:00Z',
  },
);
const line = fc.record(
  { email, phone, time_zone: timeZone, attributes, consent, other: fc.constant(1) },
  { requiredKeys: ['email'] },
);

test('the short way takes nothing that the schema refuses, and makes the same of what it takes', () => {
  fc.assert(
    fc.property(fc.oneof(line, fc.jsonValue()), (profile) => {
      const text = JSON.stringify(profile);
      const plain = parsePlainProfile(JSON.parse(text), text.length);
      if (plain) expect(parseProfile(JSON.parse(text), '')).toEqual({ kind: 'profile', input: plain });
    }),
    { numRuns: 1_000 },
  );
});

test('the short way takes what most lines are, and leaves what may be too large', () => {
  const profile = { email: 'ada@example.com', phone: null, attributes: { tier: 'gold', tags: ['a', 1] } };
  expect(parsePlainProfile(profile, 100)).toEqual(profile);
  expect(parsePlainProfile(profile, 20_000)).toBeUndefined();
});
