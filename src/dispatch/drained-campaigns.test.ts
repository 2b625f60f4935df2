import { expect, test } from 'vitest';
import { type CampaignsAtWork, DrainedCampaigns } from './drained-campaigns.ts';

const atWork = (...ids: readonly number[]): CampaignsAtWork =>
  new Map(ids.map((campaignId) => [campaignId, { tenantId: 7, campaignId }]));

test('who had something outstanding and has nothing now is told of once', () => {
  const campaigns = new DrainedCampaigns();
  let told = 0;
  campaigns.onDrained(() => told++);
  campaigns.see(atWork(1, 2));
  expect(told).toBe(0);
  campaigns.see(atWork(2, 3));
  expect(told).toBe(1);
  expect(campaigns.take()).toEqual([{ tenantId: 7, campaignId: 1 }]);
  campaigns.see(atWork(2, 3));
  expect(told).toBe(1);
  expect(campaigns.take()).toEqual([]);
});

test('who began after one look and has ended before the next is told of, too', () => {
  const campaigns = new DrainedCampaigns();
  campaigns.see(atWork());
  campaigns.began(atWork(1, 2).values());
  campaigns.see(atWork(2));
  expect(campaigns.take().map(({ campaignId }) => campaignId)).toEqual([1]);
});

test('until they are taken they gather, each once', () => {
  const campaigns = new DrainedCampaigns();
  for (const seen of [atWork(1), atWork(2), atWork(1), atWork()]) campaigns.see(seen);
  expect(campaigns.take().map(({ campaignId }) => campaignId)).toEqual([1, 2]);
});
