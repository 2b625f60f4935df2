/**
 * The scheduler: due campaigns start, and expanding ones get one page each in turn, so that a small campaign is not
 * behind a large one's fifty million. One scheduler leads; if it dies, another goes on from the cursor.
 */

import { failCampaign } from '../ledger/fail-campaign.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import { campaignAttributes, campaignFields } from '../tracing/chunk-names.ts';
import { annotate, type OpenSpan, parentContext, startSpan } from '../tracing/span.ts';
import { type MxRollup, tablesOnly } from '../transports/mx-rollup.ts';
import type { DestinationIds } from './destination-ids.ts';
import { type ExpandingCampaign, expandPage } from './expand-page.ts';
import type { ScheduleMetrics } from './schedule-metrics.ts';
import { startDueCampaigns } from './start-due.ts';

export interface SchedulerOptions {
  readonly db: Database;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly destinationIds: DestinationIds;
  readonly metrics: ScheduleMetrics;
  /** Default: the tables of domains alone. */
  readonly mxRollup?: MxRollup;
}

/** How many campaigns get a page in one pass. */
const campaignsAtOnce = 50;
/** Who schedules for now waits half of it; the look is a range of an index that has what is due. */
const pollMs = 100;

export function createScheduler(options: SchedulerOptions): Loop {
  const { db, log, leadership, metrics, mxRollup = tablesOnly } = options;

  async function pass(signal: AbortSignal): Promise<'busy' | 'idle'> {
    if (!(await leadership.lead())) return 'idle';
    const started = await startDueCampaigns(db, campaignsAtOnce, (campaign, err) =>
      log.warn({ err, ...campaignFields(campaign) }, 'campaign not started'),
    );
    metrics.started.inc(started);
    let expanded = 0;
    for (const campaign of await readExpanding(db)) {
      if (signal.aborted) break;
      if (await expandOrReport(campaign)) expanded++;
    }
    return expanded > 0 ? 'busy' : 'idle';
  }

  /** One campaign that can't be expanded must not keep all others from it. */
  async function expandOrReport(campaign: ExpandableRow): Promise<boolean> {
    const span = startPageSpan(campaign);
    try {
      return await span.around(() => expandOne(campaign));
    } catch (error) {
      log.error({ err: error, ...campaignFields(keyOf(campaign)), ...span.fields }, 'page not expanded');
      return false;
    }
  }

  /** True when it got a page further. */
  async function expandOne(campaign: ExpandableRow): Promise<boolean> {
    if (campaign.destinationMode === null) {
      await failCampaign(db, keyOf(campaign), 'the transport no longer exists');
      log.warn(campaignFields(keyOf(campaign)), 'campaign failed: no transport');
      return false;
    }
    const stopTimer = metrics.pageSeconds.startTimer();
    const page = await expandPage(db, campaign, destinationsOf(campaign, options.destinationIds, mxRollup));
    stopTimer();
    if (!page) return false;
    metrics.recipients.inc(page.recipients);
    annotate(() => ({ 'sluice.recipients': page.recipients, 'sluice.is_last_page': page.isLast }));
    if (page.isLast) log.info(campaignFields(keyOf(campaign)), 'expansion done');
    return true;
  }

  const loop = createLoop({ name: 'scheduler', log, idleMs: pollMs, pass });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await leadership.resign();
    },
  };
}

interface ExpandableRow extends ExpandingCampaign {
  readonly transportId: number;
  readonly destinationMode: 'transport' | 'provider' | null;
  /** The span of the request that scheduled it. */
  readonly traceparent: string | null;
}

function keyOf({ tenantId, id }: ExpandableRow) {
  return { tenantId, campaignId: id };
}

/** One for each page, in the trace of the request that scheduled the campaign. */
function startPageSpan(campaign: ExpandableRow): OpenSpan {
  return startSpan('expand page', {
    within: parentContext(campaign.traceparent),
    attributes: () => campaignAttributes(keyOf(campaign)),
  });
}

function destinationsOf(campaign: ExpandableRow, ids: DestinationIds, mxRollup: MxRollup) {
  const mode = campaign.destinationMode as 'transport' | 'provider';
  return {
    prepare: async (domains: Iterable<string>) => {
      if (mode === 'provider') await mxRollup.prepare(domains);
    },
    nameOf: (domain: string) => mxRollup.destinationOf(mode, domain),
    idOf: (name: string) => ids.idOf(campaign.transportId, name),
  };
}

type Row = {
  tenant_id: number;
  id: number;
  part: number;
  class: number;
  expansion_cursor: number;
  next_chunk_no: number;
  audience: string;
  transport_id: number;
  destination_mode: 'transport' | 'provider' | null;
  per_minute: number | null;
  traceparent: string | null;
};

/**
 * Those whose last page is longest ago come first, so that however many expand at once, each has its turn. Past its deadline none is expanded any
 * further: the dispatcher's sweeper fails it.
 */
async function readExpanding(db: Database): Promise<readonly ExpandableRow[]> {
  const rows = await db.rows<Row>(
    `SELECT m.tenant_id, m.id, m.part, m.class, m.expansion_cursor, m.next_chunk_no, m.audience, m.transport_id,
       t.destination_mode, m.per_minute, m.traceparent
     FROM campaigns m
     LEFT JOIN transports t ON t.id = m.transport_id AND t.deleted_at IS NULL AND (t.tenant_id IS NULL OR t.tenant_id = m.tenant_id)
     WHERE m.state = 'expanding' AND m.paused_at IS NULL AND m.deadline_at > NOW(3) ORDER BY m.updated_at LIMIT ?`,
    [campaignsAtOnce],
  );
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    part: row.part,
    class: row.class,
    cursor: row.expansion_cursor,
    nextChunkNo: row.next_chunk_no,
    audience: JSON.parse(row.audience),
    perMinute: row.per_minute,
    transportId: row.transport_id,
    destinationMode: row.destination_mode,
    traceparent: row.traceparent,
  }));
}
