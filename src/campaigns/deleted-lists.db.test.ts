/** A list that is deleted while a campaign that uses it is scheduled or changed: one of the two waits, and finds what the other did. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deleteList } from '../audience/list-store.ts';
import { type CampaignId, type ListId, parseId } from '../ids.ts';
import { waitForLockWait } from '../testing/lock-wait.ts';
import type { TestApi, TestReply } from '../testing/test-api.ts';
import { createShop, type Shop, startCampaignApi } from './campaign-fixture.ts';
import { holdReferences } from './campaign-references.ts';
import { findCampaign } from './campaign-store.ts';
import { scheduleCampaign } from './transition-store.ts';

let api: TestApi;
let shop: Shop;
let unwanted: string;
beforeAll(async () => {
  api = await startCampaignApi();
  shop = await createShop(api);
});
beforeEach(async () => {
  unwanted = await shop.createList(['bob@example.org']);
});
afterAll(() => api.stop());

const later = () => ({ send_at: new Date(Date.now() + 3_600_000).toISOString() });
const excluding = () => ({ audience: { included_lists: [shop.listId], excluded_lists: [unwanted] } });
const idOf = (list: string) => parseId('list', list) as ListId;
const keyOf = (list: string) => ({ tenantId: shop.tenantId, id: idOf(list) });
const gone = (pointer: string) => ({
  status: 422,
  body: { errors: [{ pointer, detail: 'There is no such list' }] },
});

/** Makes the call when the list's deletion has looked for campaigns and is not committed; the reply comes after the commit. */
async function duringDeletionOf(list: string, call: () => Promise<TestReply>): Promise<TestReply> {
  const { tenantId, id } = keyOf(list);
  const { reply } = await api.db.transaction(async (tx) => {
    await tx.write('DELETE FROM lists WHERE tenant_id = ? AND id = ?', [tenantId, id]);
    const reply = call();
    await waitForLockWait(api.db, id);
    return { reply };
  });
  return reply;
}

describe('what is checked while a list is there', () => {
  test('is not scheduled without the list that it excludes', async () => {
    const id = await shop.createDraft(excluding());
    const reply = await duringDeletionOf(unwanted, () => shop.act(id, 'schedule', later()));
    expect(reply).toMatchObject(gone('/audience/excluded_lists/0'));
    expect((await shop.get(`/v1/campaigns/${id}`)).body.state).toBe('draft');
  });

  test('is not scheduled without the list that it goes to', async () => {
    const id = await shop.createDraft({ audience: { included_lists: [shop.listId, unwanted] } });
    const reply = await duringDeletionOf(unwanted, () => shop.act(id, 'schedule', later()));
    expect(reply).toMatchObject(gone('/audience/included_lists/1'));
  });

  test('does not change a scheduled campaign', async () => {
    const id = await shop.createDraft();
    await shop.act(id, 'schedule', later());
    const headers = { 'If-Match': '"v2"' };
    const edit = () => shop.patch(`/v1/campaigns/${id}`, excluding(), { headers });
    const reply = await duringDeletionOf(unwanted, edit);
    expect(reply).toMatchObject(gone('/audience/excluded_lists/0'));
    const { body } = await shop.get(`/v1/campaigns/${id}`);
    expect(body).toMatchObject({ version: 2, audience: { excluded_lists: [] } });
  });
});

test('a deletion that comes while a campaign is being scheduled waits, and finds the list in use', async () => {
  const campaignId = parseId('campaign', await shop.createDraft(excluding())) as CampaignId;
  const seen = await findCampaign(api.db, { tenantId: shop.tenantId, id: campaignId });
  if (!seen) throw new Error('no campaign');
  const { deletion } = await api.db.transaction(async (tx) => {
    expect(await holdReferences(tx, shop.tenantId, seen)).toEqual([]);
    const deletion = deleteList(api.db, keyOf(unwanted));
    await waitForLockWait(api.db, idOf(unwanted));
    const schedule = { part: seen.part, sendAt: null, templateVersion: 1, estimatedRecipients: 1 };
    expect(await scheduleCampaign(tx, seen, schedule)).toBe(true);
    return { deletion };
  });
  expect(await deletion).toBe('in_use');
});
