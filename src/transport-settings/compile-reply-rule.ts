/** From a rule as its owner wrote it to one that replies are held against. Pure. */
import type { ReplyRule } from '../transports/reply-rule.ts';
import { wildcardPattern } from '../transports/wildcard-pattern.ts';
import type { RuleFields } from './reply-rule-store.ts';

export function compileReplyRule({
  name,
  match,
  class: replyClass,
  effect,
  retryAfterSeconds,
}: RuleFields): ReplyRule {
  const { codeFrom, codeTo, enhanced, text } = match;
  const hasCode = codeFrom !== undefined || codeTo !== undefined;
  return {
    class: replyClass,
    ...(hasCode && { code: [codeFrom ?? 400, codeTo ?? codeFrom ?? 599] as const }),
    ...(enhanced !== undefined && { enhanced: wildcardPattern(enhanced, 'whole') }),
    ...(text !== undefined && { text: wildcardPattern(text, 'contains') }),
    ...(effect && { effect }),
    ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1000 }),
    source: name,
    example: '',
  };
}
