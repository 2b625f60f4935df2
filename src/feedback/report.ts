/** What a mail that came back says, once read. Immutable; all that the later steps see of it. */
import type { Verdict } from '../transports/classify-reply.ts';

/** A server gave up on the message for good, whatever class its status has (RFC 3464 2.3.3). */
export interface FailedReport {
  readonly kind: 'failed';
  /** What the refusal was about: only a dead address is suppressed. */
  readonly verdict: Omit<Verdict, 'effect'>;
  /** SMTP reply code; 0 when the report quotes none. */
  readonly replyCode: number;
  /** At most 240 characters, without addresses. */
  readonly reason: string;
}

/** The recipient, or their provider for them, called the message spam (RFC 5965). */
export interface ComplaintReport {
  readonly kind: 'complaint';
  /** Of the message complained about, most telling first, not yet verified. Often redacted, hence empty. */
  readonly tokens: readonly string[];
}

export type Report =
  | FailedReport
  | ComplaintReport
  /** Delivered, or handed to a system that reports no further: in any case it had left us. */
  | { readonly kind: 'delivered' }
  /** Still being tried: says nothing about the end. */
  | { readonly kind: 'delayed' }
  | { readonly kind: 'auto_reply' }
  | { readonly kind: 'unrecognised' };

/** Those that may change the ledger. */
export type TellingReport = Extract<Report, { kind: 'failed' | 'complaint' | 'delivered' }>;

export function isTelling(report: Report): report is TellingReport {
  return report.kind === 'failed' || report.kind === 'complaint' || report.kind === 'delivered';
}
