import { expect, test } from 'vitest';
import {
  type CampaignState,
  campaignActions,
  campaignStates,
  campaignTransitions,
  finalStates,
  isAllowed,
} from './campaign-state.ts';

test('final states lead nowhere, and every other state leads to one', () => {
  for (const state of campaignStates) {
    expect(campaignTransitions[state].length === 0).toBe(finalStates.includes(state));
    expect(reachable(state).some((next) => finalStates.includes(next))).toBe(true);
  }
});

test('every action of a caller is a transition of the table, or changes a flag only', () => {
  const targets = { schedule: 'scheduled', unschedule: 'draft', cancel: 'cancelled' } as const;
  for (const action of ['schedule', 'unschedule', 'cancel'] as const) {
    const target = targets[action];
    for (const state of campaignActions[action]) {
      expect(state === target || campaignTransitions[state].includes(target)).toBe(true);
    }
  }
});

test('a draft can be edited, deleted and scheduled; a campaign that is over, nothing but cancelled again', () => {
  const allowed = (state: CampaignState) =>
    Object.keys(campaignActions).filter((action) => isAllowed(action as keyof typeof campaignActions, state));
  expect(allowed('draft')).toEqual(['edit', 'delete', 'schedule']);
  expect(allowed('scheduled')).toEqual(['edit', 'unschedule', 'cancel']);
  expect(allowed('expanding')).toEqual(['pause', 'resume', 'cancel']);
  expect(allowed('sending')).toEqual(['pause', 'resume', 'cancel']);
  expect(allowed('sent')).toEqual([]);
  expect(allowed('cancelled')).toEqual(['cancel']);
  expect(allowed('failed')).toEqual([]);
});

function reachable(from: CampaignState): readonly CampaignState[] {
  const found = new Set<CampaignState>([from]);
  for (const state of found) for (const next of campaignTransitions[state]) found.add(next);
  return [...found];
}
