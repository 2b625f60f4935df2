import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ListId } from '../ids.ts';
import { parseId } from '../ids.ts';
import { systemClock } from '../platform/clock.ts';
import type { TestApi } from '../testing/test-api.ts';
import { estimateAudience } from './audience-estimate.ts';
import { createShop, type Shop, startCampaignApi } from './campaign-fixture.ts';

let api: TestApi;
let shop: Shop;
const addresses = (n: number, name = 'a') => Array.from({ length: n }, (_, i) => `${name}${i}@example.org`);

beforeAll(async () => {
  api = await startCampaignApi();
  shop = await createShop(api);
});
afterAll(() => api.stop());

async function estimate(included: readonly string[], excluded: readonly string[] = []) {
  const id = await shop.createDraft({ audience: { included_lists: included, excluded_lists: excluded } });
  const { status, body } = await shop.post(`/v1/campaigns/${id}/estimate`);
  expect(status).toBe(200);
  return body;
}

const listIdOf = (text: string) => parseId('list', text) as ListId;

test('members are counted once, without the excluded, the suppressed and the erased', async () => {
  const [one, two, out] = [
    await shop.createList(addresses(30)),
    await shop.createList(addresses(20)),
    await shop.createList(addresses(5)),
  ];
  expect(await estimate([one, two])).toEqual({ recipients: 30, excluded: 0, suppressed: 0, exact: true });
  expect(await estimate([one, two], [out])).toEqual({
    recipients: 25,
    excluded: 5,
    suppressed: 0,
    exact: true,
  });
  await shop.suppress('a7@example.org');
  await shop.suppress('a1@example.org');
  expect(await estimate([one, two], [out])).toEqual({
    recipients: 24,
    excluded: 5,
    suppressed: 1,
    exact: true,
  });
  await api.db.write(
    "UPDATE profiles SET email = NULL, email_hash = NULL WHERE tenant_id = ? AND email = 'a8@example.org'",
    [shop.tenantId],
  );
  expect(await estimate([one])).toEqual({ recipients: 27, excluded: 0, suppressed: 2, exact: true });
});

test('who left a list is not counted for it alone, and is for it among others', async () => {
  const [one, two] = [await shop.createList(addresses(4, 'b')), await shop.createList(addresses(3, 'b'))];
  await shop.suppress('b0@example.org', `list:${listIdOf(one)}`);
  expect(await estimate([one])).toMatchObject({ recipients: 3, suppressed: 1 });
  expect(await estimate([one, two])).toMatchObject({ recipients: 4, suppressed: 0 });
});

test('who left the only one of several lists that they are on is not counted, nor who left all of theirs', async () => {
  const [one, two] = [await shop.createList(addresses(4, 'e')), await shop.createList(addresses(2, 'e'))];
  await shop.suppress('e3@example.org', `list:${listIdOf(one)}`);
  expect(await estimate([one, two])).toMatchObject({ recipients: 3, suppressed: 1 });
  await shop.suppress('e0@example.org', `list:${listIdOf(one)}`);
  expect(await estimate([one, two])).toMatchObject({ recipients: 3, suppressed: 1 });
  await shop.suppress('e0@example.org', `list:${listIdOf(two)}`);
  expect(await estimate([one, two])).toMatchObject({ recipients: 2, suppressed: 2 });
});

test('no lists, and lists without members, are nobody', async () => {
  const nobody = { recipients: 0, excluded: 0, suppressed: 0, exact: true };
  expect(await estimate([])).toEqual(nobody);
  expect(await estimate([await shop.createList([])])).toEqual(nobody);
});

test('in pages of any size it is the same', async () => {
  const [one, two] = [await shop.createList(addresses(40, 'c')), await shop.createList(addresses(25, 'c'))];
  const audience = { includedLists: [listIdOf(one), listIdOf(two)], excludedLists: [] };
  for (const membersPerPage of [1, 7, 40, 41]) {
    const options = { clock: systemClock, budgetMs: 60_000, membersPerPage };
    expect(await estimateAudience(api.db, { tenantId: shop.tenantId, audience }, options)).toEqual({
      recipients: 40,
      excluded: 0,
      suppressed: 0,
      isExact: true,
    });
  }
});

test('beyond its time it is told from a part, and says so', async () => {
  const list = await shop.createList(addresses(2_000, 'd'));
  const out = await shop.createList(addresses(2_000, 'd').filter((_, i) => i % 2 === 0));
  const audience = { includedLists: [listIdOf(list)], excludedLists: [listIdOf(out)] };
  const options = { clock: systemClock, budgetMs: 0, membersPerPage: 100 };
  const found = await estimateAudience(api.db, { tenantId: shop.tenantId, audience }, options);
  expect(found.isExact).toBe(false);
  expect(found.recipients).toBeGreaterThan(500);
  expect(found.recipients).toBeLessThan(2_000);
});
