/**
 * Campaigns of which nothing is outstanding any more: some of these are done. So a campaign's end is seen in the pass after that of its last chunk, without
 * a look through all that are sending. Remembered by the leader alone: what it misses (another leader, a doubt that is settled) is found by the sweep of all.
 */
import type { CampaignKey } from '../ledger/campaign-key.ts';

/** By campaign. */
export type CampaignsAtWork = ReadonlyMap<number, CampaignKey>;

export class DrainedCampaigns {
  #atWork = new Map<number, CampaignKey>();
  readonly #drained = new Map<number, CampaignKey>();
  #listener: () => void = () => {};

  /** Called when there are some to take. */
  onDrained(listener: () => void): void {
    this.#listener = listener;
  }

  /** Those that have something outstanding now. */
  see(atWork: CampaignsAtWork): void {
    for (const [id, campaign] of this.#atWork) if (!atWork.has(id)) this.#drained.set(id, campaign);
    this.#atWork = new Map(atWork);
    if (this.#drained.size > 0) this.#listener();
  }

  /** Something of these has just been dispatched: it may be over before the next look. */
  began(campaigns: Iterable<CampaignKey>): void {
    for (const { tenantId, campaignId } of campaigns) this.#atWork.set(campaignId, { tenantId, campaignId });
  }

  /** Those that have drained since this was asked last; they may be at work again. */
  take(): readonly CampaignKey[] {
    const drained = [...this.#drained.values()];
    this.#drained.clear();
    return drained;
  }
}
