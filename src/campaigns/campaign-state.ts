/**
 * The states of a campaign and what may be done in each. Pure: the statements that carry an action out compare and set
 * the state themselves, with the states listed here.
 *
 *   draft <-> scheduled -> expanding -> sending -> sent
 *                 |            |  |        |
 *                 |            |  +--> failed
 *                 +------------+-----------+--> cancelled
 *
 * `paused_at` is a flag on `expanding` and `sending`. What is expanded can't fail any more: its recipients end one by one.
 */

export const campaignStates = [
  'draft',
  'scheduled',
  'expanding',
  'sending',
  'sent',
  'cancelled',
  'failed',
] as const;
export type CampaignState = (typeof campaignStates)[number];

/** Every change of state there is; what no action of a caller does is the pipeline's own. */
export const campaignTransitions: Readonly<Record<CampaignState, readonly CampaignState[]>> = {
  draft: ['scheduled'],
  scheduled: ['draft', 'expanding', 'cancelled'],
  expanding: ['sending', 'cancelled', 'failed'],
  sending: ['sent', 'cancelled'],
  sent: [],
  cancelled: [],
  failed: [],
};

/** What a caller may ask for, and in which states. */
export const campaignActions = {
  edit: ['draft', 'scheduled'],
  delete: ['draft'],
  schedule: ['draft'],
  unschedule: ['scheduled'],
  /** Pausing a paused campaign and resuming a running one change nothing and are no errors: a caller may repeat itself. */
  pause: ['expanding', 'sending'],
  resume: ['expanding', 'sending'],
  /** The same for cancelling a cancelled one. */
  cancel: ['scheduled', 'expanding', 'sending', 'cancelled'],
} as const satisfies Record<string, readonly CampaignState[]>;
export type CampaignAction = keyof typeof campaignActions;

export function isAllowed(action: CampaignAction, state: CampaignState): boolean {
  return (campaignActions[action] as readonly CampaignState[]).includes(state);
}

/** Nothing more will happen to it, once `settling` is over as well. */
export const finalStates: readonly CampaignState[] = ['sent', 'cancelled', 'failed'];
