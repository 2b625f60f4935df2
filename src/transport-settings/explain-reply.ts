/** What a reply would do, and which rule says so: for the people who write rules. */
import { AppError } from '../errors.ts';
import { formatId } from '../ids.ts';
import { classifyReply, findRule, type Stage, type Verdict } from '../transports/classify-reply.ts';
import type { ReplyEffect } from '../transports/contract.ts';
import { effectAt } from '../transports/reply-effect.ts';
import type { ReplyRule } from '../transports/reply-rule.ts';
import { parseReply } from '../transports/reply-text.ts';
import { compileReplyRule } from './compile-reply-rule.ts';
import { showEffect } from './reply-rule-schemas.ts';
import type { StoredReplyRule } from './reply-rule-store.ts';

export interface ReplyToExplain {
  readonly reply: string;
  readonly stage: Stage;
  readonly destination?: string | undefined;
}

/** `own` are asked first, then the installation's, then the shipped ones. */
export function explainReply(
  { reply: raw, stage, destination }: ReplyToExplain,
  own: readonly StoredReplyRule[],
  installed: readonly StoredReplyRule[],
) {
  const reply = parseReply(raw);
  if (reply.code < 400)
    throw new AppError('invalid_request', {
      errors: [{ pointer: '/reply', detail: 'must begin with a reply code from 400 to 599' }],
    });
  const stored = new Map([...own, ...installed].map((rule) => [compileReplyRule(rule), rule]));
  const rules = [...stored.keys()];
  const verdict = classifyReply(reply, stage, rules);
  const effect = destination === undefined ? verdict.effect : effectAt(destination, verdict.effect);
  const decides = findRule(reply, rules);
  return {
    reply: { code: reply.code, enhanced: reply.enhanced ?? null, text: reply.text },
    rule: nameRule(decides, decides && stored.get(decides), own),
    class: verdict.class,
    is_permanent: verdict.isPermanent,
    retry_after_seconds: verdict.retryAfterMs === undefined ? null : verdict.retryAfterMs / 1000,
    effect: showEffect(effect),
    explanation: `${sayMessage(verdict)} ${sayEffect(effect)}`,
  };
}

function nameRule(
  decides: ReplyRule | undefined,
  stored: StoredReplyRule | undefined,
  own: readonly StoredReplyRule[],
) {
  if (!stored) return { origin: 'shipped', id: null, name: decides?.source ?? 'none' };
  const origin = own.includes(stored) ? 'own' : 'installation';
  return { origin, id: formatId('replyRule', stored.id), name: stored.name };
}

function sayMessage({ isPermanent, class: meaning, retryAfterMs }: Verdict): string {
  if (isPermanent && meaning === 'address') return 'The message bounces and its address is suppressed.';
  if (isPermanent) return 'The message bounces; its address is not suppressed.';
  const burnt = meaning === 'throttled' ? ', and this was no attempt' : '';
  const when = retryAfterMs === undefined ? 'later' : `in ${retryAfterMs / 1000} s`;
  return `The message is tried again ${when}${burnt}.`;
}

function sayEffect({ action, scope, durationMs = 0 }: ReplyEffect): string {
  const time = `for ${durationMs / 1000} s`;
  if (action === 'none') return 'Nobody else is concerned.';
  if (action === 'slow') return 'The destination is sent less until it accepts again.';
  if (action === 'pause_sender')
    return `If several come, the sending domain rests at this destination ${time}.`;
  return scope === 'transport' ? `The transport rests ${time}.` : `The destination rests ${time}.`;
}
