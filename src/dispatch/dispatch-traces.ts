/**
 * A trace for each grant that is dispatched, linked to the one that scheduled its campaign. A campaign's grants may be a hundred thousand, over hours: as
 * parts of one trace they could neither be sampled nor shown.
 *
 * Without an SDK this makes spans that do nothing, and reads nothing.
 */
import { deliveryClassName } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import { startGrantSpan } from '../tracing/grant-span.ts';
import type { OpenSpan } from '../tracing/span.ts';
import { type CampaignTraces, createCampaignTraces } from './campaign-traces.ts';
import type { PlannedGrant } from './plan-grants.ts';

export interface DispatchTraces {
  /** `startedAtMs`: wall clock, when S1 was begun; which grants it would leave was not known then. */
  begin(dispatched: readonly PlannedGrant[], startedAtMs: number): TracedDispatch;
}

export interface TracedDispatch {
  readonly grants: readonly PlannedGrant[];
  /** Never rejects. */
  end(error?: unknown): Promise<void>;
}

export function createDispatchTraces(sql: Sql): DispatchTraces {
  const campaigns = createCampaignTraces(sql);

  return {
    begin(dispatched, startedAtMs) {
      const traced = dispatched.map((planned) => ({ planned, span: startSpanOf(planned, startedAtMs) }));
      return {
        grants: traced.map(({ planned, span }) => ({ ...planned, traceparent: span.traceparent })),
        async end(error) {
          await link(traced, campaigns);
          for (const { span } of traced) span.end(error);
        },
      };
    },
  };
}

interface Traced {
  readonly planned: PlannedGrant;
  readonly span: OpenSpan;
}

function startSpanOf({ lane, grant }: PlannedGrant, startedAtMs: number): OpenSpan {
  const place = { destinationId: lane.destinationId, class: deliveryClassName(lane.class) };
  return startGrantSpan('dispatch', place, grant, startedAtMs);
}

/** Once the jobs are queued, so that none waits for it; where the campaigns can't be read, their ids must do. */
async function link(traced: readonly Traced[], campaigns: CampaignTraces): Promise<void> {
  const recorded = traced.filter(({ span }) => span.isRecorded);
  if (recorded.length === 0) return;
  const traceOf = await campaigns.of(recorded.map(({ planned }) => planned.grant)).catch(() => undefined);
  for (const { planned, span } of recorded) span.link(traceOf?.(planned.grant));
}
