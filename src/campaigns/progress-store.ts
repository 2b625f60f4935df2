/** A campaign's progress, from its counters alone: deliveries are never counted for it. */
import { deliveryStateNames, type StateCounts, settledStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import type { CampaignKey } from './campaign.ts';
import { type CampaignState, finalStates } from './campaign-state.ts';

export interface Progress {
  readonly state: CampaignState;
  readonly isPaused: boolean;
  readonly isSettling: boolean;
  /** Until it is, the total still grows. */
  readonly isTotalFinal: boolean;
  readonly counts: StateCounts;
  readonly estimatedRecipients: number | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** Reads the campaign's row and its few counter slots, both by primary key. */
export async function readProgress(sql: Sql, { tenantId, id }: CampaignKey): Promise<Progress | undefined> {
  const sums = deliveryStateNames.map((state) => `COALESCE(SUM(k.n_${state}), 0) AS ${state}`).join(', ');
  const row = await sql.first<Row>(
    `SELECT m.state AS campaignState, m.paused_at AS pausedAt, m.settling, m.expansion_done AS isExpanded,
       m.estimated_recipients AS estimatedRecipients, m.started_at AS startedAt, m.finished_at AS finishedAt, ${sums}
     FROM campaigns m LEFT JOIN campaign_counters k ON k.tenant_id = m.tenant_id AND k.campaign_id = m.id
     WHERE m.tenant_id = ? AND m.id = ?
     GROUP BY m.state, m.paused_at, m.settling, m.expansion_done, m.estimated_recipients, m.started_at, m.finished_at`,
    [tenantId, id],
  );
  return row && toProgress(row);
}

export function totalOf(counts: StateCounts): number {
  return deliveryStateNames.reduce((sum, state) => sum + counts[state], 0);
}

/** Recipients whose end is known. */
export function settledOf(counts: StateCounts): number {
  return settledStates.reduce((sum, state) => sum + counts[state], 0);
}

/** Nothing in it will change any more, but for bounces by mail. */
export function isOver({ state, isSettling }: Progress): boolean {
  return finalStates.includes(state) && !isSettling;
}

interface Row extends StateCounts {
  readonly campaignState: CampaignState;
  readonly pausedAt: Date | null;
  readonly settling: number;
  readonly isExpanded: number;
  readonly estimatedRecipients: number | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

function toProgress(row: Row): Progress {
  return {
    state: row.campaignState,
    isPaused: row.pausedAt !== null,
    isSettling: row.settling === 1,
    isTotalFinal: row.isExpanded === 1,
    counts: Object.fromEntries(deliveryStateNames.map((state) => [state, row[state]])) as StateCounts,
    estimatedRecipients: row.estimatedRecipients,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}
