import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CampaignId, TenantId } from '../ids.ts';
import { type DeliveryKey, formatChunkKey, formatDeliveryId, parseDeliveryId } from './delivery-id.ts';
import { formatGrant } from './grant.ts';

const id = fc.maxSafeNat();
const keys = fc.record({
  tenantId: id.map((n) => n as TenantId),
  campaignId: id.map((n) => n as CampaignId),
  part: fc.integer({ min: 202401, max: 209953 }),
  chunkNo: fc.nat(32 ** 5 - 1),
  seq: fc.nat(499),
});

test('a delivery id is its key, and the key is in it', () => {
  fc.assert(
    fc.property(keys, (key) => {
      expect(parseDeliveryId(formatDeliveryId(key))).toEqual(key);
    }),
  );
});

test('ids are of one length, and of the characters that mail and URLs carry', () => {
  fc.assert(
    fc.property(keys, (key) => {
      expect(formatDeliveryId(key)).toMatch(/^dlv_[0-9a-hjkmnp-tv-z]{33}$/);
    }),
  );
});

test('within a campaign they sort as the deliveries do', () => {
  const one: DeliveryKey = {
    tenantId: 1 as TenantId,
    campaignId: 2 as CampaignId,
    part: 202547,
    chunkNo: 9,
    seq: 31,
  };
  const ids = [one, { ...one, seq: 32 }, { ...one, chunkNo: 10, seq: 0 }].map(formatDeliveryId);
  expect([...ids].sort()).toEqual(ids);
});

test('anything else is none', () => {
  const good = formatDeliveryId({
    tenantId: 1 as TenantId,
    campaignId: 2 as CampaignId,
    part: 202547,
    chunkNo: 0,
    seq: 0,
  });
  for (const text of [
    '',
    'dlv_',
    good.slice(1),
    `${good}0`,
    good.replace('dlv', 'cmp'),
    `${good.slice(0, -1)}u`,
    good.toUpperCase(),
  ])
    expect(parseDeliveryId(text), text).toBeUndefined();
  expect(parseDeliveryId(`dlv_${'z'.repeat(33)}`), 'beyond what JavaScript holds').toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseDeliveryId(text)).toBeUndefined();
    }),
  );
});

test('chunks and grants are named without a colon, which BullMQ keeps for itself', () => {
  const grant = {
    tenantId: 1 as TenantId,
    campaignId: 2 as CampaignId,
    part: 202547,
    chunkNo: 3,
    epoch: 4,
    n: 5,
  };
  expect(formatChunkKey(grant)).toBe('1-2-3');
  expect(formatGrant(grant)).toBe('1-2-3-4');
});
