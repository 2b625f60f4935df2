/** Scheduling: all that is missing or wrong is said at once; then one compare-and-set of what was checked. */
import { AppError, type FieldError } from '../errors.ts';
import { partOf } from '../ledger/partitions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/mysql.ts';
import { activeTraceparent } from '../tracing/span.ts';
import { type AudienceEstimate, estimateAudience } from './audience-estimate.ts';
import type { Campaign, CampaignKey } from './campaign.ts';
import { holdReferences } from './campaign-references.ts';
import { assertAllowed, explainRefusal, getCampaign } from './known-campaign.ts';
import { checkReadiness, type ReadinessOptions } from './readiness.ts';
import { type Schedule, scheduleCampaign } from './transition-store.ts';

export interface SchedulingOptions extends ReadinessOptions {
  readonly db: Database;
  readonly clock: Clock;
}

/** A time this far back is taken as now: clocks differ, and requests take a while. */
const graceMs = 60_000;
/** The week of scheduling is that of a campaign's deliveries, and none of its week goes before it is over. */
const furthestAheadMs = 366 * 86_400_000;
/** Counting a large audience is not worth making the caller wait. */
const estimateBudgetMs = 300;

/** A campaign that nobody would get is refused when it is to go now, and let be when it is to go later. */
export async function schedule(
  options: SchedulingOptions,
  key: CampaignKey,
  sendAt: Date | 'now',
): Promise<Campaign> {
  const { db, clock } = options;
  const seen = await getCampaign(db, key);
  assertAllowed('schedule', seen);
  const readiness = await checkReadiness(options, key, seen);
  const errors = findTimeErrors(sendAt, clock.now());
  if (readiness.kind === 'unready') throw invalid([...errors, ...readiness.errors]);
  const estimate = await estimateAudience(db, seen, { clock, budgetMs: estimateBudgetMs });
  errors.push(...findEmptiness(estimate, sendAt));
  if (errors.length > 0) throw invalid(errors);
  await write(db, seen, {
    part: partOf(clock.now()),
    sendAt: sendAt === 'now' ? null : sendAt,
    templateVersion: readiness.templateVersion,
    estimatedRecipients: estimate.recipients,
    traceparent: activeTraceparent(),
  });
  return getCampaign(db, key);
}

/** What it names is held, so that none of it can be deleted between the check and the commit. */
async function write(db: Database, seen: Campaign, planned: Schedule): Promise<void> {
  const { isWritten, gone } = await db.transaction(async (tx) => {
    const gone = await holdReferences(tx, seen.tenantId, seen);
    return { gone, isWritten: gone.length === 0 && (await scheduleCampaign(tx, seen, planned)) };
  });
  if (gone.length > 0) throw invalid(gone);
  if (!isWritten) throw await explainRefusal(db, seen, 'schedule');
}

function findTimeErrors(sendAt: Date | 'now', nowMs: number): FieldError[] {
  if (sendAt === 'now') return [];
  const aheadMs = sendAt.getTime() - nowMs;
  if (aheadMs < -graceMs) return [{ pointer: '/send_at', detail: 'lies in the past' }];
  return aheadMs > furthestAheadMs ? [{ pointer: '/send_at', detail: 'lies more than a year ahead' }] : [];
}

function findEmptiness({ recipients, isExact }: AudienceEstimate, sendAt: Date | 'now'): FieldError[] {
  if (sendAt !== 'now' || recipients > 0 || !isExact) return [];
  return [{ pointer: '/audience', detail: 'no recipients: all lists are empty, excluded or suppressed' }];
}

function invalid(errors: readonly FieldError[]): AppError {
  return new AppError('invalid_request', {
    detail: 'The campaign is not ready: pointers lead into the campaign, and /send_at into this request',
    errors,
  });
}
