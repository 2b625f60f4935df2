/**
 * What waits, by class, for alerts: told by the leading dispatcher alone, so that sums over processes are true. A few dozen ms of the database's time every
 * ten seconds, whatever the backlog: counters of running campaigns and the heads of lanes are read, never chunks.
 */
import { Gauge } from 'prom-client';
import { deliveryClasses } from '../ledger/states.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Sql } from '../platform/mysql.ts';

export interface BacklogMetricsOptions {
  readonly db: Sql;
  readonly log: Log;
  /** The dispatcher's own. */
  readonly leadership: Leadership;
  readonly registry: Metrics;
  readonly everyMs?: number;
}

/** Running campaigns that are counted; eight counters of each. */
const mostCampaigns = 5_000;

export function createBacklogMetrics(options: BacklogMetricsOptions): Loop {
  const { db, log, leadership, registry, everyMs = 10_000 } = options;
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sluice_dispatch_${name}`, help, labelNames: ['class'], registers: [registry] });
  const backlog = gauge(
    'backlog_messages',
    `Messages pending or deferred of campaigns that run (at most ${mostCampaigns} campaigns are counted)`,
  );
  const oldest = gauge('oldest_due_seconds', 'Longest time for which a lane that is due has not been served');

  async function pass(): Promise<'idle'> {
    // What a leader said last must not stay beside what its successor says.
    if (await leadership.lead()) await measure();
    else for (const one of [backlog, oldest]) one.reset();
    return 'idle';
  }

  async function measure(): Promise<void> {
    const [messages, seconds] = [await readBacklogs(db), await readOldestDue(db)];
    for (const [name, code] of Object.entries(deliveryClasses)) {
      backlog.set({ class: name }, messages.get(code) ?? 0);
      oldest.set({ class: name }, seconds.get(code) ?? 0);
    }
  }

  return createLoop({ name: 'backlog-metrics', log, idleMs: everyMs, pass });
}

type ClassFigure = { readonly class: number; readonly figure: number };

/** By `campaigns.by_state`, then eight counters of each by their primary key. */
async function readBacklogs(sql: Sql): Promise<ReadonlyMap<number, number>> {
  const rows = await sql.rows<ClassFigure>(
    `SELECT m.class, SUM(k.n_pending + k.n_deferred) AS figure
     FROM (SELECT tenant_id, id, class FROM campaigns WHERE state IN ('expanding', 'sending') AND paused_at IS NULL
       LIMIT ${mostCampaigns}) m
     JOIN campaign_counters k ON k.tenant_id = m.tenant_id AND k.campaign_id = m.id GROUP BY m.class`,
  );
  return byClass(rows);
}

/** A loose scan of `lanes.by_destination`, one step for each destination and class. */
async function readOldestDue(sql: Sql): Promise<ReadonlyMap<number, number>> {
  const rows = await sql.rows<ClassFigure>(
    `SELECT class, MAX(TIMESTAMPDIFF(MICROSECOND, due, NOW(3))) / 1000000 AS figure
     FROM (SELECT class, MIN(next_due_at) AS due FROM lanes GROUP BY destination_id, class) heads
     WHERE due <= NOW(3) GROUP BY class`,
  );
  return byClass(rows);
}

function byClass(rows: readonly ClassFigure[]): ReadonlyMap<number, number> {
  return new Map(rows.map((row) => [row.class, row.figure]));
}
