/** One mail in: read, applied to the ledger, counted, logged. Logs have ids and never an address. */
import type { DueRules } from '../ledger/due.ts';
import type { Log } from '../platform/log.ts';
import type { Database } from '../platform/mysql.ts';
import type { SigningKey } from '../render/tokens.ts';
import { chunkFields } from '../tracing/chunk-names.ts';
import { applyReport, type Effect } from './apply-report.ts';
import type { FeedbackMetrics } from './feedback-metrics.ts';
import { parseReport } from './parse-report.ts';
import { isTelling, type Report } from './report.ts';
import { readToken, type SignedDelivery } from './return-path.ts';

export interface ReportIntakeOptions {
  readonly db: Database;
  readonly log: Log;
  /** Every key whose tokens may still come back, the present one first. */
  readonly signingKeys: readonly SigningKey[];
  readonly rules: DueRules;
  readonly metrics: FeedbackMetrics;
}

/** Resolves when the mail's effects are committed; rejects when they could not be, and may then be called again with it. */
export type ReportIntake = (recipient: SignedDelivery, raw: Uint8Array) => Promise<void>;

export function createReportIntake(options: ReportIntakeOptions): ReportIntake {
  const { db, log, signingKeys, rules, metrics } = options;

  return async (recipient, raw) => {
    const report = await parseReport(raw);
    const delivery = deliveryOf(report, recipient, signingKeys);
    const effect = isTelling(report) ? await applyReport(db, { key: delivery.key, report, rules }) : 'none';
    metrics.reports.inc({ kind: effect === 'gone' ? 'gone' : report.kind });
    log.info(describe(report, delivery, effect), 'feedback taken');
  };
}

/**
 * A complaint may come to another delivery's return path: operators register one address for all. Then the message it
 * encloses says whose it is, if a token of it is signed. A bounce only ever comes back on its own path.
 */
function deliveryOf(report: Report, recipient: SignedDelivery, keys: readonly SigningKey[]): SignedDelivery {
  if (report.kind !== 'complaint') return recipient;
  for (const token of report.tokens) {
    const enclosed = readToken(keys, token);
    if (enclosed) return enclosed;
  }
  return recipient;
}

function describe(report: Report, { id, key }: SignedDelivery, effect: Effect) {
  return {
    ...chunkFields(key),
    deliveryId: id,
    kind: report.kind,
    effect,
    ...(report.kind === 'failed' && { class: report.verdict.class, replyCode: report.replyCode }),
  };
}
