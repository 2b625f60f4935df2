/** What an outcome means for the ledger. Pure. The transport has already said what is permanent and what it is about. */
import { longestRetryMs, type Result } from '../ledger/outcome.ts';
import type { Outcome, Reply, ReplyClass } from '../transports/contract.ts';

export interface RetryRules {
  /** Wait after the first attempt, ms; doubles with each further one. */
  readonly firstDelayMs: number;
}

/** `random`: 0 to 1, for the jitter that keeps deferrals from coming back all at once. */
export function toResult(seq: number, outcome: Outcome, rules: RetryRules, random: number): Result {
  const replyCode = outcome.reply.code;
  switch (outcome.kind) {
    case 'accepted':
      return { seq, state: 'sent', replyCode, reason: null };
    case 'rejected':
      return toRejected(seq, outcome.reply, outcome.class, rules);
    case 'deferred':
      return {
        ...toDeferred(seq, outcome, rules, random),
        ...(isAboutUs(outcome.class) && { isAttemptFree: true }),
      };
    case 'unknown':
      return { seq, state: 'in_doubt', replyCode, reason: describe(outcome.reply) };
    case 'untransmitted':
      return { seq, state: 'pending', replyCode, reason: describe(outcome.reply) };
  }
}

/** It could not be handed over, again and again: it waits, so that the others of its chunk come first. No attempt is burnt. */
export function toStranded(seq: number, reply: Reply, rules: RetryRules, random: number): Result {
  const retryInMs = jitter(rules.firstDelayMs, random);
  return {
    seq,
    state: 'deferred',
    replyCode: reply.code,
    reason: describe(reply),
    retryInMs,
    isAttemptFree: true,
  };
}

/** Refused for good; yet a refusal of our account is no recipient's end: it waits until somebody has put that right. */
function toRejected(seq: number, reply: Reply, replyClass: ReplyClass, rules: RetryRules): Result {
  const common = { seq, replyCode: reply.code, reason: describe(reply) };
  if (replyClass === 'account') {
    return { ...common, state: 'deferred', retryInMs: rules.firstDelayMs, isAttemptFree: true };
  }
  return { ...common, state: 'bounced', suppresses: replyClass === 'address' };
}

function toDeferred(
  seq: number,
  outcome: { readonly reply: Reply; readonly retryAfterMs?: number },
  rules: RetryRules,
  random: number,
): Result {
  const common = {
    seq,
    state: 'deferred' as const,
    replyCode: outcome.reply.code,
    reason: describe(outcome.reply),
  };
  // No longer than our own longest wait: what a server says must not put a date beyond what the ledger holds.
  if (outcome.retryAfterMs !== undefined)
    return { ...common, retryInMs: Math.min(outcome.retryAfterMs, longestRetryMs) };
  return { ...common, retryInMs: jitter(rules.firstDelayMs, random), backsOff: true };
}

/** Between three quarters and five quarters, in eight steps. */
function jitter(delayMs: number, random: number): number {
  return Math.round(delayMs * (0.75 + Math.floor(random * 8) / 16));
}

/** The destination or the account, not this message: its attempts are not burnt. */
function isAboutUs(replyClass: ReplyClass): boolean {
  return replyClass === 'throttled' || replyClass === 'account';
}

/** What is kept keeps no addresses (DESIGN 4): servers like to repeat them in their replies. */
export function withoutAddresses(text: string): string {
  return text.replace(/[^\s<>()"]+@[^\s<>()"]+/g, '***');
}

function describe({ enhanced, text }: Reply): string {
  const said = withoutAddresses(text);
  return (enhanced && !said.startsWith(enhanced) ? `${enhanced} ${said}` : said).slice(0, 240);
}
