/** A campaign as rows name it. (The API's own is in campaigns/campaign.ts.) */
export interface CampaignKey {
  readonly tenantId: number;
  readonly campaignId: number;
}
