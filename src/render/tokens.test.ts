import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CampaignId, ListId, ProfileId, TenantId } from '../ids.ts';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import {
  findDeliveryToken,
  formatMessageId,
  formatReturnPath,
  formatUnsubscribeUrl,
  signDeliveryId,
  signUnsubscribe,
  verifyDeliveryToken,
  verifyUnsubscribe,
} from './tokens.ts';

const key = { id: 1, secret: Buffer.alloc(32, 1) };
const next = { id: 2, secret: Buffer.alloc(32, 2) };
const deliveryId = formatDeliveryId({
  tenantId: 123456789012345 as TenantId,
  campaignId: 9876543210 as CampaignId,
  part: 202648,
  chunkNo: 31,
  seq: 499,
});
const token = signDeliveryId(key, deliveryId);

test('tokens stay what they are: those of mail that was sent years ago are still to be understood', () => {
  const old = { id: 3, secret: Buffer.alloc(32, 7) };
  expect(signDeliveryId(old, 'dlv_0123456789abcdefghjkmnpqrstvwxyz')).toBe(
    'dlv_0123456789abcdefghjkmnpqrstvwxyz.p8rvmja148aj39h2',
  );
  const target = { tenantId: 12 as TenantId, profileId: 345678901234 as ProfileId, list: 7 as ListId };
  expect(signUnsubscribe(old, target)).toBe('AQMAAAAAAAAMAABQfBFv8gAAAAAAAAd28yY7-FyujmMMsYJp5GOF');
});

test('a delivery is found again in its Message-ID and in its return path, upper-cased on the way or not', () => {
  for (const text of [
    `<${formatMessageId(token, 'mail.example.com')}>`,
    formatReturnPath(token, 'b.example.com'),
  ]) {
    expect(verifyDeliveryToken([key], findDeliveryToken(text) ?? '')).toBe(deliveryId);
    expect(verifyDeliveryToken([key], findDeliveryToken(text.toUpperCase()) ?? '')).toBe(deliveryId);
  }
});

test('the local part of the return path fits 64 octets, and the MAC has 80 bits', () => {
  expect(formatReturnPath(token, '').length - 1).toBe(56);
  expect(token.split('.')[1]).toMatch(/^[0-9a-z]{16}$/);
});

test('every changed character makes a delivery token invalid', () => {
  for (let i = 0; i < token.length; i++) {
    const changed = token.slice(0, i) + (token[i] === 'a' ? 'b' : 'a') + token.slice(i + 1);
    expect(verifyDeliveryToken([key, next], changed)).toBeUndefined();
  }
});

test('a token outlives a rotation as long as its key is accepted', () => {
  expect(verifyDeliveryToken([next, key], token)).toBe(deliveryId);
  expect(verifyDeliveryToken([next], token)).toBeUndefined();
  expect(verifyDeliveryToken([], token)).toBeUndefined();
});

test('foreign Message-IDs and return paths hold no token', () => {
  for (const text of [
    '',
    '<abc@example.com>',
    `${token}`,
    `b+${token}@`,
    `<${token}@a b>`,
    `x${token}@example.com`,
  ]) {
    expect(findDeliveryToken(text)).toBeUndefined();
  }
});

const id = fc.integer({ min: 1, max: 2 ** 52 });
const targets = fc.record({ tenantId: id, profileId: id, list: fc.oneof(id, fc.constant('*' as const)) });
type Target = { tenantId: TenantId; profileId: ProfileId; list: ListId | '*' };

test('an unsubscribe token stands for its target, and no changed bit goes unnoticed', () => {
  fc.assert(
    fc.property(targets, fc.nat({ max: 39 * 8 - 1 }), (target, bit) => {
      const signed = signUnsubscribe(key, target as Target);
      expect(signed).toMatch(/^[A-Za-z0-9_-]{52}$/);
      expect(verifyUnsubscribe([next, key], signed)).toEqual(target);
      const changed = Buffer.from(signed, 'base64url');
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyUnsubscribe([next, key], changed.toString('base64url'))).toBeUndefined();
    }),
  );
});

test('an unsubscribe token is valid only under the key it names', () => {
  const target = { tenantId: 1, profileId: 2, list: '*' } as Target;
  expect(verifyUnsubscribe([next], signUnsubscribe(key, target))).toBeUndefined();
  expect(verifyUnsubscribe([{ ...next, id: 1 }], signUnsubscribe(key, target))).toBeUndefined();
  expect(verifyUnsubscribe([key], 'x'.repeat(52))).toBeUndefined();
  expect(verifyUnsubscribe([key], '')).toBeUndefined();
});

test('the URL has one slash between its parts', () => {
  expect(formatUnsubscribeUrl('https://click.example.com/', 'T')).toBe('https://click.example.com/u/T');
});
