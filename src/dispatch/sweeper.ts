/**
 * What the leading dispatcher does besides: leases that are over, doubts that are ripe, campaigns that stop, resume or are done. A loop
 * for each, so that settling a cancelled fifty million never delays a takeover, and one that fails leaves the others running.
 */
import type { CampaignKey } from '../ledger/campaign-key.ts';
import type { IsCounted } from '../ledger/day-attempts.ts';
import type { DueRules } from '../ledger/due.ts';
import { settleDoubt } from '../ledger/settle-doubt.ts';
import { takeOverExpired } from '../ledger/takeover.ts';
import type { Leadership } from '../platform/leadership.ts';
import { composeLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import { campaignFields, chunkFields } from '../tracing/chunk-names.ts';
import {
  completeAmong,
  completeCampaigns,
  type SweepPassedOver,
  sweepStoppedCampaigns,
} from './complete-campaigns.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DrainedCampaigns } from './drained-campaigns.ts';
import { failUnexpanded } from './fail-unexpanded.ts';
import { unparkCampaigns } from './park-store.ts';

export interface SweeperOptions {
  readonly db: Database;
  readonly log: Log;
  /** The dispatcher's own: whoever dispatches also sweeps. */
  readonly leadership: Leadership;
  readonly rules: DueRules;
  readonly settleAfterMs: number;
  /** Destinations with a quota; default: none. */
  readonly isCounted?: IsCounted | undefined;
  /** As the dispatcher sees them. */
  readonly drainedCampaigns: DrainedCampaigns;
  readonly metrics: DispatchMetrics;
}

const pollMs = 250;
/** All that are sending: those that have drained were looked at when they did. */
const completedPollMs = 1_000;
const chunksAtOnce = 100;

export function createSweeper(options: SweeperOptions): Lifecycle {
  const { db, log, leadership, rules, settleAfterMs, isCounted, drainedCampaigns, metrics } = options;

  /** `sweep` does a bounded part of its work and answers how much it did. */
  function sweepWhileLeading(name: string, sweep: () => Promise<number>, idleMs = pollMs): Loop {
    const pass = async () => ((await leadership.lead()) && (await sweep()) > 0 ? 'busy' : 'idle');
    return createLoop({ name, log, idleMs, pass });
  }

  const passedOver = logPassedOver(log);

  async function takeOver(): Promise<number> {
    const taken = await takeOverExpired(db, rules, { limit: chunksAtOnce, isCounted, passedOver });
    for (const { inDoubt, wasLeased, ...chunk } of taken) {
      metrics.takeovers.inc();
      metrics.doubted.inc(inDoubt);
      log.warn({ ...chunkFields(chunk), inDoubt, wasLeased }, 'chunk taken over');
    }
    return taken.length;
  }

  async function settle(): Promise<number> {
    const settled = await settleDoubt(db, { settleAfterMs, rules, limit: chunksAtOnce, passedOver });
    metrics.settled.inc(settled);
    return settled;
  }

  async function reportCompleted(completing: Promise<readonly CampaignKey[]>): Promise<number> {
    const completed = await completing;
    for (const campaign of completed) {
      metrics.completed.inc();
      log.info(campaignFields(campaign), 'campaign sent');
    }
    return completed.length;
  }

  async function failOverdue(): Promise<number> {
    const failed = await failUnexpanded(db, passedOver);
    for (const { failure, ...campaign } of failed)
      log.warn({ ...campaignFields(campaign), reason: failure }, 'campaign failed: deadline');
    return failed.length;
  }

  const drained = sweepWhileLeading('drained', () =>
    reportCompleted(completeAmong(db, drainedCampaigns.take(), passedOver)),
  );
  drainedCampaigns.onDrained(() => drained.wake());
  return composeLifecycle([
    sweepWhileLeading('takeover', takeOver),
    sweepWhileLeading('doubts', settle),
    sweepWhileLeading('resumed', () => unparkCampaigns(db, passedOver)),
    sweepWhileLeading('overdue', failOverdue),
    sweepWhileLeading('stopped', () => sweepStoppedCampaigns(db, passedOver)),
    drained,
    sweepWhileLeading('completed', () => reportCompleted(completeCampaigns(db, passedOver)), completedPollMs),
  ]);
}

function logPassedOver(log: Log): SweepPassedOver {
  return (of: { tenantId: number; campaignId: number; chunkNo?: number }, err) => {
    const fields =
      of.chunkNo === undefined ? campaignFields(of) : chunkFields({ ...of, chunkNo: of.chunkNo });
    log.warn({ err, ...fields }, 'passed over by a sweep');
  };
}
