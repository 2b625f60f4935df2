/** The campaign a call is about, or the error that says why there is none to act on. */
import { AppError } from '../errors.ts';
import type { Sql } from '../platform/mysql.ts';
import type { Campaign, CampaignKey } from './campaign.ts';
import { type CampaignAction, type CampaignState, isAllowed } from './campaign-state.ts';
import { findCampaign } from './campaign-store.ts';

/** Throws `not_found`. */
export async function getCampaign(sql: Sql, key: CampaignKey): Promise<Campaign> {
  const campaign = await findCampaign(sql, key);
  if (!campaign) throw new AppError('not_found', { detail: 'There is no such campaign' });
  return campaign;
}

/** Throws `illegal_transition` when the action is none of its state's. */
export function assertAllowed(action: CampaignAction, { state }: Campaign): void {
  if (!isAllowed(action, state)) throw illegalTransition(action, state);
}

/** For a statement that compared and found something else: says what it found. */
export async function explainRefusal(sql: Sql, key: CampaignKey, action: CampaignAction): Promise<AppError> {
  const campaign = await getCampaign(sql, key);
  if (!isAllowed(action, campaign.state)) return illegalTransition(action, campaign.state);
  return new AppError('conflict', {
    detail: 'The campaign was changed at the same moment: read it and try again',
  });
}

function illegalTransition(action: CampaignAction, state: CampaignState): AppError {
  return new AppError('illegal_transition', {
    detail: `The campaign is ${state}: it can't be ${participles[action]}`,
  });
}

const participles: Readonly<Record<CampaignAction, string>> = {
  edit: 'edited',
  delete: 'deleted',
  schedule: 'scheduled',
  unschedule: 'unscheduled',
  pause: 'paused',
  resume: 'resumed',
  cancel: 'cancelled',
};
