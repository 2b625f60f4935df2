/** What `explain-campaign.ts` decides by: the words only. Times are ms from now. */
import type { CampaignState } from '../campaigns/campaign-state.ts';
import type { DestinationStatus } from './destination-status.ts';

export interface CampaignFacts {
  readonly state: CampaignState;
  readonly isPaused: boolean;
  /** Null: not scheduled. */
  readonly startsInMs: number | null;
  readonly deadlineInMs: number | null;
  /** All its recipients are known. */
  readonly isExpanded: boolean;
  /** Messages that are pending or deferred, those under way included. */
  readonly pending: number;
  readonly inDoubt: number;
  /** No faster than, if so set. */
  readonly perMinute: number | null;
  readonly tenantPerSecond: number | null;
  readonly untilMidnightMs: number;
  readonly fleet: FleetFacts;
  readonly destinations: readonly DestinationFacts[];
}

/** Which parts of the pipeline are alive. */
export interface FleetFacts {
  readonly hasScheduler: boolean;
  readonly hasDispatcher: boolean;
  readonly hasRenderWorker: boolean;
  readonly hasSendWorker: boolean;
}

/** The campaign's part at one destination. */
export interface DestinationFacts {
  readonly id: number;
  readonly name: string;
  /** Messages that may be tried now, those under way included. */
  readonly ready: number;
  /** Messages that wait for their next attempt, and for how long the first of them. */
  readonly retrying: number;
  readonly retryInMs: number;
  readonly status: DestinationStatus;
  /** The destination refuses the campaign's sending domain. */
  readonly senderPause: SenderPauseFacts | null;
  /** Of other tenants, due there now; at most `mostOtherLanes`. */
  readonly otherLanes: number;
}

export interface SenderPauseFacts {
  readonly domain: string;
  readonly endsInMs: number;
  readonly reply: string;
}

export const mostOtherLanes = 100;
