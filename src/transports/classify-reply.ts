/** From what a server said to what it means. Pure. */
import type { Reply, ReplyClass, ReplyEffect } from './contract.ts';
import { effectOf } from './reply-effect.ts';
import type { ReplyRule } from './reply-rule.ts';
import { replyRules } from './reply-rules.ts';

/** What the reply answered: MAIL, RCPT, DATA, or the message after its final dot. */
export type Stage = 'mail' | 'rcpt' | 'data' | 'message';

export interface Verdict {
  readonly class: ReplyClass;
  /** False: try again. Full mailboxes and throttling are never for good, whatever the code. */
  readonly isPermanent: boolean;
  /** When to, if the other side named a time or its rule knows one. */
  readonly retryAfterMs?: number;
  /** What it does to others. */
  readonly effect: ReplyEffect;
}

/** What a 4yz or 5yz reply means. `ownRules` are asked before the shipped ones. */
export function classifyReply(reply: Reply, stage: Stage, ownRules: readonly ReplyRule[] = []): Verdict {
  const rule = findRule(reply, ownRules);
  const replyClass = classAt(stage, rule?.class ?? 'transient');
  const isPermanent = reply.code >= 500 && replyClass !== 'transient' && replyClass !== 'throttled';
  const retryAfterMs = isPermanent ? undefined : (parseRetryAfter(reply.text) ?? rule?.retryAfterMs);
  const effect = effectOf({ replyClass, rule: rule?.effect, retryAfterMs });
  const verdict = { class: replyClass, isPermanent, effect };
  return retryAfterMs === undefined ? verdict : { ...verdict, retryAfterMs };
}

/** The row that decides. */
export function findRule(reply: Reply, ownRules: readonly ReplyRule[] = []): ReplyRule | undefined {
  const isMatch = (rule: ReplyRule) => matches(rule, reply);
  return ownRules.find(isMatch) ?? replyRules.find(isMatch);
}

/**
 * The time named in a text such as "try again in 300 seconds" or "retry after 00:04:59".
 * Never more than a day: a peer can't park a message beyond its deadline's reach by a typing error.
 */
export function parseRetryAfter(text: string): number | undefined {
  const clock = clockTime.exec(text);
  if (clock) return bounded((Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3]));
  const named = namedTime.exec(text);
  if (!named) return undefined;
  return bounded(Number(named[1]) * secondsPer(named[2] ?? ''));
}

function matches(rule: ReplyRule, reply: Reply): boolean {
  if (rule.code && (reply.code < rule.code[0] || reply.code > rule.code[1])) return false;
  if (rule.enhanced && !(reply.enhanced !== undefined && rule.enhanced.test(reply.enhanced))) return false;
  return rule.text === undefined || rule.text.test(reply.text);
}

/** MAIL speaks of our sender: whatever the words, the recipient's address isn't to blame. */
function classAt(stage: Stage, replyClass: ReplyClass): ReplyClass {
  return stage === 'mail' && replyClass === 'address' ? 'message' : replyClass;
}

const longestRestSeconds = 24 * 3600;

const waitWord = String.raw`\b(?:again|retry|retried|resend|wait|back|gr[ea]y-?listed|delayed|deferred)\b`;
const clockTime = new RegExp(String.raw`${waitWord}[^\d]{0,30}(\d{1,2}):(\d{2}):(\d{2})\b`, 'i');
const namedTime = new RegExp(
  String.raw`${waitWord}[^\d]{0,30}(\d{1,6}) ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b`,
  'i',
);

function secondsPer(unit: string): number {
  const letter = unit.charAt(0).toLowerCase();
  return letter === 's' ? 1 : letter === 'm' ? 60 : 3600;
}

function bounded(seconds: number): number | undefined {
  return seconds > 0 ? Math.min(seconds, longestRestSeconds) * 1000 : undefined;
}
