import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TenantId } from '../ids.ts';
import { addressHash, parseAddress, parseDomain } from './address.ts';

const reasonOf = (text: string) => {
  const parsed = parseAddress(text);
  return parsed.kind === 'invalid' ? parsed.reason : parsed.email;
};

test('an address is trimmed, its domain lower-cased, its local part kept', () => {
  expect(parseAddress('  Ada.Lovelace+news@Example.ORG\r\n')).toEqual({
    kind: 'address',
    email: 'Ada.Lovelace+news@example.org',
    domain: 'example.org',
    isSmtpUtf8: false,
  });
});

test('an international domain becomes A-labels', () => {
  expect(parseAddress('ada@Bücher.example')).toMatchObject({
    email: 'ada@xn--bcher-kva.example',
    isSmtpUtf8: false,
  });
  expect(parseAddress('ada@例え。テスト')).toMatchObject({ domain: 'xn--r8jz45g.xn--zckzah' });
});

test('a local part that is not ASCII needs SMTPUTF8, composed', () => {
  expect(parseAddress('zoe\u0308@example.org')).toMatchObject({
    email: 'zo\u00eb@example.org',
    isSmtpUtf8: true,
  });
});

describe('refused', () => {
  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['ada', 'no_domain'],
    ['ada@', 'no_domain'],
    ['@example.org', 'bad_local_part'],
    ['ada.@example.org', 'bad_local_part'],
    ['a..b@example.org', 'bad_local_part'],
    ['a@b@example.org', 'bad_local_part'],
    [`${'x'.repeat(65)}@example.org`, 'bad_local_part'],
    [`${'ë'.repeat(33)}@example.org`, 'bad_local_part'],
    ['"ada lovelace"@example.org', 'quoted_local_part'],
    ['Ada <ada@example.org>', 'forbidden_character'],
    ['ada@example.org, bob@example.org', 'forbidden_character'],
    ['ada@example.org\r\nBcc: eve@example.net', 'forbidden_character'],
    ['ada\0@example.org', 'forbidden_character'],
    ['ada\u2028@example.org', 'forbidden_character'],
    ['ada@[127.0.0.1]', 'ip_literal'],
    ['ada@127.0.0.1', 'bad_domain'],
    ['ada@１２７.0.0.1', 'bad_domain'],
    ['ada@0x7f.1', 'bad_domain'],
    ['ada@localhost', 'bad_domain'],
    ['ada@example.org.', 'bad_domain'],
    ['ada@-example.org', 'bad_domain'],
    ['ada@exa_mple.org', 'bad_domain'],
    ['ada@ex%61mple.org', 'bad_domain'],
    ['ada@example..org', 'bad_domain'],
    ['ada@xn--a.org', 'bad_domain'],
    [`ada@${'x'.repeat(64)}.org`, 'bad_domain'],
    [`ada@${'x.'.repeat(130)}org`, 'too_long'],
  ])('%j: %s', (text, reason) => expect(reasonOf(text)).toBe(reason));
});

test('whatever the text, an answer comes, and an address that is given out has no forbidden octet', {
  // Making the generators of addresses takes seconds by itself on a busy machine.
  timeout: 30_000,
}, () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.emailAddress(),
        fc.tuple(fc.string(), fc.domain()).map((parts) => parts.join('@')),
      ),
      (text) => {
        const parsed = parseAddress(text);
        if (parsed.kind === 'address') {
          expect(parsed.email).toMatch(/^[^\s\p{Cc}<>,;:"()[\]\\@]+@[a-z0-9.-]+$/u);
          expect(parseAddress(parsed.email)).toEqual(parsed);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('a domain alone is checked as in an address', () => {
  expect(parseDomain('Mail.Bücher.example')).toBe('mail.xn--bcher-kva.example');
  expect(parseDomain('mail.example.com\r\n')).toBeUndefined();
  expect(parseDomain('a b.example')).toBeUndefined();
});

test('the hash ignores case, and tells tenants and keys apart', () => {
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const tenant = 1 as TenantId;
  const hash = addressHash(key, tenant, 'Ada@example.org');
  expect(hash).toHaveLength(16);
  expect(addressHash(key, tenant, 'ada@example.org')).toEqual(hash);
  expect(addressHash(key, 2 as TenantId, 'ada@example.org')).not.toEqual(hash);
  expect(addressHash(other, tenant, 'ada@example.org')).not.toEqual(hash);
});
