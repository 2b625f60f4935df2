import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressHash } from '../audience/address.ts';
import type { CampaignId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { formatDeliveryId } from '../ledger/delivery-id.ts';
import { chunkStates, type DeliveryState, deliveryStates } from '../ledger/states.ts';
import type { TestApi, TestTenant } from '../testing/test-api.ts';
import { createShop, rowIdOf, type Shop, startCampaignApi } from './campaign-fixture.ts';

let api: TestApi;
let shop: Shop;
let other: Shop;
const size = 50;
const states: readonly DeliveryState[] = ['sent', 'sent', 'sent', 'bounced', 'pending'];

beforeAll(async () => {
  api = await startCampaignApi();
  [shop, other] = [await createShop(api), await createShop(api)];
});
afterAll(() => api.stop());

/** Chunks of 50, of the states in turn, or all of one state. */
async function createLedger(
  chunkNos: readonly number[],
  stateOf: (chunkNo: number, seq: number) => DeliveryState,
) {
  const id = await shop.createIn('sending');
  const campaignId = await rowIdOf(api, id);
  const row = await api.db.first<{ part: number }>('SELECT part FROM campaigns WHERE id = ?', [campaignId]);
  const part = row?.part as number;
  const profile = await api.db.first<{ id: number; email_hash: Buffer }>(
    'SELECT id, email_hash FROM profiles WHERE tenant_id = ?',
    [shop.tenantId],
  );
  for (const chunkNo of chunkNos) {
    const all = Array.from({ length: size }, (_, seq) => stateOf(chunkNo, seq));
    const n = (state: DeliveryState) => all.filter((one) => one === state).length;
    await api.db.write(
      `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, state, due_at, size, n_sent, n_bounced, n_pending)
       VALUES (?, ?, ?, ?, 1, 2, ?, NOW(3), ?, ?, ?, ?)`,
      [
        shop.tenantId,
        campaignId,
        chunkNo,
        part,
        chunkStates.done,
        size,
        n('sent'),
        n('bounced'),
        n('pending'),
      ],
    );
    await api.db.write(
      'INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash, state) VALUES ?',
      [
        all.map((state, seq) => [
          ...[shop.tenantId, campaignId, chunkNo, seq, part, profile?.id, profile?.email_hash],
          deliveryStates[state],
        ]),
      ],
    );
  }
  const nextChunkNo = Math.max(-1, ...chunkNos) + 1;
  await api.db.write('UPDATE campaigns SET next_chunk_no = ? WHERE id = ?', [nextChunkNo, campaignId]);
  return { id, campaignId: campaignId as CampaignId, part };
}

interface Listed {
  readonly id: string;
  readonly state: string;
}

async function listAll(id: string, query: string) {
  const found: Listed[] = [];
  const pages: number[] = [];
  let cursor = '';
  do {
    const { status, body } = await shop.get(
      `/v1/campaigns/${id}/deliveries?${query}${cursor && `&cursor=${cursor}`}`,
    );
    expect(status).toBe(200);
    found.push(...body.data);
    pages.push(body.data.length);
    cursor = body.next_cursor;
  } while (cursor);
  return { found, pages };
}

const inTurn = (_: number, seq: number) => states[seq % states.length] as DeliveryState;

test('all deliveries are listed once, in order, whatever the page’s size', async () => {
  const { id } = await createLedger([0, 1, 2], inTurn);
  for (const pageSize of [7, 50, 200]) {
    const { found } = await listAll(id, `page_size=${pageSize}`);
    expect(found).toHaveLength(3 * size);
    expect(found.map((one) => one.id)).toEqual([...new Set(found.map((one) => one.id))].sort());
  }
});

test('by state, those of that state and no others', async () => {
  const { id } = await createLedger([0, 1, 2], inTurn);
  for (const [state, n] of [
    ['sent', 90],
    ['bounced', 30],
    ['pending', 30],
    ['expired', 0],
  ] as const) {
    const { found } = await listAll(id, `state=${state}&page_size=20`);
    expect(found.map((one) => one.state)).toEqual(Array(n).fill(state));
  }
});

test('a needle among thousands of chunks is found in bounded calls', async () => {
  const last = 12_000;
  const { id } = await createLedger([0, 1, last], (chunkNo, seq) =>
    chunkNo === last && seq === 7 ? 'bounced' : 'sent',
  );
  const { found, pages } = await listAll(id, 'state=bounced');
  expect(found).toHaveLength(1);
  expect(pages).toEqual([0, 0, 1]);
});

test('chunks with one hit each make short pages, and lose none', async () => {
  const chunkNos = Array.from({ length: 230 }, (_, i) => i);
  const { id } = await createLedger(chunkNos, (_, seq) => (seq === 3 ? 'bounced' : 'sent'));
  const { found, pages } = await listAll(id, 'state=bounced&page_size=200');
  expect(found).toHaveLength(230);
  expect(pages).toEqual([100, 100, 30]);
});

test('a chunk on the wire is read, though its counts are of before its grant', async () => {
  const { id, campaignId } = await createLedger([0], () => 'pending');
  await api.db.write('UPDATE chunks SET state = ? WHERE campaign_id = ?', [chunkStates.leased, campaignId]);
  await api.db.write('UPDATE deliveries SET state = ? WHERE campaign_id = ? AND seq < 10', [
    deliveryStates.attempting,
    campaignId,
  ]);
  expect((await listAll(id, 'state=attempting')).found).toHaveLength(10);
  expect((await listAll(id, 'state=pending')).found).toHaveLength(40);
});

test('a delivery shows what became of it', async () => {
  const { id, campaignId, part } = await createLedger([0], () => 'bounced');
  await api.db.write(
    `UPDATE deliveries SET attempts = 2, reply_code = 550, reason = '5.1.1 no such user', outcome_at = '2026-11-27 09:00:00.123'
     WHERE campaign_id = ? AND seq = 0`,
    [campaignId],
  );
  const deliveryId = formatDeliveryId({ tenantId: shop.tenantId, campaignId, chunkNo: 0, part, seq: 0 });
  const { body } = await shop.get(`/v1/deliveries/${deliveryId}`);
  expect(body).toMatchObject({
    id: deliveryId,
    campaign_id: id,
    email: 'ada@example.org',
    state: 'bounced',
    attempts: 2,
    reply_code: 550,
    reason: '5.1.1 no such user',
    settled_by: null,
    next_attempt_at: null,
    outcome_at: '2026-11-27T09:00:00.123Z',
  });
  expect((await listAll(id, 'page_size=1')).found[0]).toEqual(body);
});

test('an address is shown only while it is the one that was sent to', async () => {
  const { id } = await createLedger([0], () => 'sent');
  const emailOf = async () =>
    (await shop.get(`/v1/campaigns/${id}/deliveries?page_size=1`)).body.data[0].email;
  const hash = addressHash(deriveKeys(api.config.SECRET_KEY).address, shop.tenantId, 'new@example.org');
  const before = await api.db.first<{ email_hash: Buffer }>(
    'SELECT email_hash FROM profiles WHERE tenant_id = ?',
    [shop.tenantId],
  );
  const setAddress = (email: string | null, emailHash: Buffer | null | undefined) =>
    api.db.write('UPDATE profiles SET email = ?, email_hash = ? WHERE tenant_id = ?', [
      email,
      emailHash,
      shop.tenantId,
    ]);
  await setAddress('new@example.org', hash);
  expect(await emailOf()).toBeNull();
  await setAddress(null, null);
  expect(await emailOf()).toBeNull();
  await setAddress('ada@example.org', before?.email_hash);
  expect(await emailOf()).toBe('ada@example.org');
});

test('a delivery of another tenant, or of nobody, is not there', async () => {
  const { id, campaignId, part } = await createLedger([0], () => 'sent');
  const key = { tenantId: shop.tenantId, campaignId, chunkNo: 0, part, seq: 0 };
  const get = (tenant: TestTenant, text: string) => tenant.get(`/v1/deliveries/${text}`);
  expect((await get(shop, formatDeliveryId(key))).status).toBe(200);
  expect((await get(other, formatDeliveryId(key))).status).toBe(404);
  expect((await get(other, formatDeliveryId({ ...key, tenantId: other.tenantId }))).status).toBe(404);
  expect((await get(shop, formatDeliveryId({ ...key, seq: size }))).status).toBe(404);
  for (const text of ['dlv_', 'dlv_nonsense', id, `dlv_${'z'.repeat(33)}`, 'x'.repeat(100)]) {
    expect((await get(shop, text)).status).toBe(404);
  }
  expect((await other.get(`/v1/campaigns/${id}/deliveries`)).status).toBe(404);
});

test('a cursor or a state that is none is refused', async () => {
  const { id } = await createLedger([], () => 'sent');
  const path = `/v1/campaigns/${id}/deliveries`;
  expect((await shop.get(path)).body).toEqual({ data: [], next_cursor: null });
  const forged = Buffer.from('[1,-5,0]').toString('base64url');
  for (const query of [
    'cursor=x',
    `cursor=${forged}`,
    'state=lost',
    'page_size=0',
    'page_size=201',
    'sort=x',
  ]) {
    expect((await shop.get(`${path}?${query}`)).status).toBe(400);
  }
});

test('what is no longer kept is gone, and says so', async () => {
  const { id, campaignId, part } = await createLedger([0], () => 'sent');
  const dlv = formatDeliveryId({ tenantId: shop.tenantId, campaignId, chunkNo: 0, part, seq: 0 });
  for (const table of ['chunks', 'deliveries'])
    await api.db.write(`DELETE FROM ${table} WHERE campaign_id = ?`, [campaignId]);
  for (const path of [
    `/v1/campaigns/${id}/deliveries`,
    `/v1/campaigns/${id}/deliveries?state=sent`,
    `/v1/deliveries/${dlv}`,
  ]) {
    const { status, body } = await shop.get(path);
    expect([path, status, body.code]).toEqual([path, 410, 'gone']);
  }
  expect((await shop.get(`/v1/campaigns/${id}/progress`)).status).toBe(200);
  expect((await other.get(`/v1/deliveries/${dlv}`)).status).toBe(404);
});
