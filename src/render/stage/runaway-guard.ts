/**
 * Templates that run away: each recipient of one costs a fifth of a second of everybody's renderer. After so many in a row that hit the
 * limits, the campaign's others are skipped unrendered, in this process.
 */
import { LRUCache } from 'lru-cache';

export interface RunawayGuard {
  hasRunAway(campaign: string): boolean;
  /** One recipient was rendered, or hit a limit. */
  note(campaign: string, hitLimit: boolean): void;
}

export const limitsInARow = 20;

export function createRunawayGuard(): RunawayGuard {
  const inARow = new LRUCache<string, number>({ max: 1_000 });

  return {
    hasRunAway: (campaign) => (inARow.get(campaign) ?? 0) >= limitsInARow,
    note(campaign, hitLimit) {
      if (hitLimit) inARow.set(campaign, (inARow.get(campaign) ?? 0) + 1);
      else inARow.delete(campaign);
    },
  };
}
