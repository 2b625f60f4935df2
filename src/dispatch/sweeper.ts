/** The leading dispatcher's second loop: leases that are over, doubts that are ripe, campaigns that are done. */
import type { DueRules } from '../ledger/due.ts';
import { settleDoubt } from '../ledger/settle-doubt.ts';
import { takeOverExpired } from '../ledger/takeover.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import { completeCampaigns, sweepStoppedCampaigns } from './complete-campaigns.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import { unparkCampaigns } from './dispatch-store.ts';

export interface SweeperOptions {
  readonly db: Database;
  readonly log: Log;
  /** The dispatcher's own: whoever dispatches also sweeps. */
  readonly leadership: Leadership;
  readonly rules: DueRules;
  readonly settleAfterMs: number;
  readonly metrics: DispatchMetrics;
}

const pollMs = 250;
const chunksAtOnce = 100;

export function createSweeper(options: SweeperOptions): Loop {
  const { db, log, leadership, rules, settleAfterMs, metrics } = options;

  async function pass(): Promise<'busy' | 'idle'> {
    if (!(await leadership.lead())) return 'idle';
    const taken = await takeOver();
    const settled = await settleDoubt(db, { settleAfterMs, rules, limit: chunksAtOnce });
    metrics.settled.inc(settled);
    const unparked = await unparkCampaigns(db);
    const swept = await sweepStoppedCampaigns(db);
    await complete();
    return taken + settled + unparked + swept > 0 ? 'busy' : 'idle';
  }

  async function takeOver(): Promise<number> {
    const taken = await takeOverExpired(db, rules, chunksAtOnce);
    for (const { tenantId, campaignId, chunkNo, inDoubt, wasLeased } of taken) {
      metrics.takeovers.inc();
      metrics.doubted.inc(inDoubt);
      log.warn({ tenantId, campaignId, chunkNo, inDoubt, wasLeased }, 'chunk taken over');
    }
    return taken.length;
  }

  async function complete(): Promise<void> {
    for (const { tenant_id, id } of await completeCampaigns(db)) {
      metrics.completed.inc();
      log.info({ tenantId: tenant_id, campaignId: id }, 'campaign sent');
    }
  }

  return createLoop({ name: 'sweeper', log, idleMs: pollMs, pass });
}
