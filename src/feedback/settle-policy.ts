/** What a report does to its delivery and to the address. Pure; the table of transitions is the ledger's. */
import type { SuppressionReason } from '../audience/suppression-store.ts';
import { type DeliveryState, deliveryTransitions } from '../ledger/states.ts';
import type { TellingReport } from './report.ts';

/** Where the delivery stands when the report comes. */
export interface Standing {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly settledBy: string | null;
}

export interface Settlement {
  /** Absent: the row stays as it is. */
  readonly state?: 'sent' | 'bounced';
  /** Feedback told the end, not an outcome of our own. */
  readonly isSettledByFeedback: boolean;
  readonly suppression?: { readonly reason: SuppressionReason; readonly source: 'dsn' | 'arf' };
}

/**
 * - sent: a failure makes it bounced; anything else it knew already.
 * - in_doubt: any of them proves that it had left, and says how that ended.
 * - attempting: the report was faster than our own commit, or is about an earlier copy. It is settled here: the outcome
 *   that comes now finds the row settled and changes nothing (S4), and if the worker died, none will come.
 * - pending, deferred: an earlier attempt was in doubt and the policy is `resend`. That copy's end is known now, so
 *   another must not go out: the intent (S3) passes over rows that are settled. A row never attempted has no copy that
 *   anyone could report on, so the report is false and does nothing.
 * - The final ones stay: a bounce isn't undone by a `delivered` from a mailbox behind it, nor a cancelled row reopened. The address is
 *   suppressed all the same.
 */
export function settleByReport(report: TellingReport, standing: Standing): Settlement {
  if (!hasLeft(standing)) return { isSettledByFeedback: false };
  const next = report.kind === 'failed' ? 'bounced' : 'sent';
  const suppression = suppressionBy(report);
  return {
    ...(deliveryTransitions[standing.state].includes(next) && { state: next }),
    ...(suppression && { suppression }),
    // Sent by an outcome and bounced later is the ordinary way, and was never in doubt.
    isSettledByFeedback: standing.state !== 'sent' || standing.settledBy !== null,
  };
}

/** Attempts that were retracted, or refused as a whole, are not counted: nothing of them is under way. */
function hasLeft({ state, attempts }: Standing): boolean {
  return attempts > 0 || state === 'sent';
}

/**
 * A full mailbox empties, a policy or a reputation is ours to mend, and 4yz words are a server's mood: suppressing for them
 * would lose people who want the mail.
 */
function suppressionBy(report: TellingReport): Settlement['suppression'] {
  if (report.kind === 'complaint') return { reason: 'complaint', source: 'arf' };
  if (report.kind !== 'failed') return undefined;
  const { class: replyClass, isPermanent } = report.verdict;
  return replyClass === 'address' && isPermanent ? { reason: 'hard_bounce', source: 'dsn' } : undefined;
}
