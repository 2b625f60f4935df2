/** A campaign, as the stores hold it. */
import type { CampaignId, ListId, TemplateId, TenantId, TransportId } from '../ids.ts';
import type { InDoubtPolicy } from '../ledger/settle-doubt.ts';
import type { DeliveryClass } from '../ledger/states.ts';
import type { CampaignState } from './campaign-state.ts';

export interface CampaignKey {
  readonly tenantId: TenantId;
  readonly id: CampaignId;
}

export interface CampaignAudience {
  readonly includedLists: readonly ListId[];
  readonly excludedLists: readonly ListId[];
}

/** As the column holds it: the render stage reads it, too. A draft may still lack the sender. */
export interface CampaignMessage {
  readonly fromEmail?: string | undefined;
  readonly fromName?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What its author decides. A draft may be incomplete; scheduling needs all of it. */
export interface CampaignContent {
  readonly name: string;
  readonly audience: CampaignAudience;
  readonly message: CampaignMessage;
  readonly templateId: TemplateId | null;
  /** Null: the latest, pinned when it is scheduled. */
  readonly templateVersion: number | null;
  readonly transportId: TransportId | null;
  readonly class: DeliveryClass;
  readonly inDoubtPolicy: InDoubtPolicy;
  /** What is not delivered so long after `sendAt` expires. */
  readonly deliverWithinSeconds: number;
  /** No faster than so many messages a minute; null: no such limit. */
  readonly maxPerMinute: number | null;
}

export interface Campaign extends CampaignContent {
  readonly tenantId: TenantId;
  readonly id: CampaignId;
  readonly part: number;
  readonly state: CampaignState;
  readonly pausedAt: Date | null;
  /** It was cancelled or has failed, and what was pending is still being turned to its end state. */
  readonly isSettling: boolean;
  readonly sendAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly isExpanded: boolean;
  /** Chunks so far are numbered below this. */
  readonly nextChunkNo: number;
  readonly estimatedRecipients: number | null;
  readonly failure: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** The domain of From, lower case: what a destination refuses for policy, and what is paused there. Null: no sender yet. */
export function sendingDomainOf({ fromEmail }: CampaignMessage): string | null {
  return fromEmail === undefined ? null : fromEmail.slice(fromEmail.lastIndexOf('@') + 1).toLowerCase();
}
