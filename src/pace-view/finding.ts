/** One reason why a campaign is not faster. */

export const campaignRules = [
  // All of it.
  'draft',
  'over',
  'paused',
  'not_due',
  'past_deadline',
  'no_scheduler',
  'no_dispatcher',
  'no_render_worker',
  'no_send_worker',
  'starting',
  // A rate for all of it.
  'campaign_rate',
  'tenant_rate',
  // What it has at one destination.
  'sender_pause',
  'breaker',
  'rest',
  'quota',
  'learnt_rate',
  'configured_rate',
  'slow',
  'ceiling',
  'growing',
  'none',
  'unknown',
  'retries',
  'shared',
  // What is not pending.
  'expanding',
  'in_doubt',
] as const;
export type CampaignRule = (typeof campaignRules)[number];

/** `stop`: what it concerns doesn't move. `limit`: it moves no faster. `note`: it slows nothing down by itself. */
export type Weight = 'stop' | 'limit' | 'note';

export interface Finding {
  readonly rule: CampaignRule;
  readonly weight: Weight;
  /** A sentence, for people. */
  readonly detail: string;
  /** Messages of the campaign that it concerns. */
  readonly pending: number;
  readonly destination?: { readonly id: number; readonly name: string };
  /** By this alone it takes at least so long, s. Left out where nobody can tell. */
  readonly seconds?: number;
}
