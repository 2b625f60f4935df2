/** What became of a transaction, from how it ended and how far the body had got. Pure. */
import type { BodyProgress } from './body-writer.ts';
import { classifyReply, type Stage } from './classify-reply.ts';
import type { Outcome, Reply } from './contract.ts';
import type { RawReply } from './reply-reader.ts';
import type { ReplyRule } from './reply-rule.ts';
import { cleanText, ownReply, parseReply } from './reply-text.ts';

export interface TransactionEnd {
  readonly outcome: Outcome;
  /**
   * What the session is good for: the next MAIL, a RSET first (MAIL was accepted and the transaction is still open: a second
   * MAIL would be refused with 503, RFC 5321 §4.1.4), or nothing.
   */
  readonly after: 'reuse' | 'reset' | 'drop';
}

export interface Refusal {
  /** A 4yz or 5yz. */
  readonly raw: string;
  /** What it answered. */
  readonly stage: Stage;
  readonly progress: BodyProgress;
  /** The transport owner's own, asked before the shipped ones. */
  readonly rules: readonly ReplyRule[];
}

/** The server has answered the message, or something in its place. */
export function endOfAnswer(
  { code, raw }: RawReply,
  progress: BodyProgress,
  rules: readonly ReplyRule[] = [],
): TransactionEnd {
  if (code >= 400) return endOfRefusal({ raw, stage: 'message', progress, rules });
  const isAcceptance = code >= 200 && code < 300;
  if (isAcceptance && progress === 'ended') return { outcome: accepted(parseReply(raw)), after: 'reuse' };
  return isAcceptance || progress === 'ended' ? inDoubt(raw) : endOfLoss(notAnAnswer(raw), progress);
}

/** The server has said no, with all of its reply. */
export function endOfRefusal({ raw, stage, progress, rules }: Refusal): TransactionEnd {
  const reply = parseReply(raw);
  const { class: replyClass, isPermanent, retryAfterMs, effect } = classifyReply(reply, stage, rules);
  const after = afterRefusal(reply, stage, progress);
  if (isPermanent) return { outcome: { kind: 'rejected', reply, class: replyClass, effect }, after };
  // The session ended for its own reasons (idle too long, a restart): that says nothing about the message.
  if (reply.code === 421 && stage === 'mail' && replyClass === 'transient')
    return { outcome: { kind: 'untransmitted', reply }, after };
  const deferred = { kind: 'deferred', reply, class: replyClass, effect } as const;
  return { outcome: retryAfterMs === undefined ? deferred : { ...deferred, retryAfterMs }, after };
}

/** The connection is gone or given up, and the server hasn't said what it did. */
export function endOfLoss(
  text: string,
  progress: BodyProgress,
  { begun = '', rules = [] }: LastWords = {},
): TransactionEnd {
  // Half a refusal, cut off by the connection's end: after the 354 it can only be the message's.
  if (progress !== 'unread' && /^[45]\d\d[ -]/.test(begun))
    return { ...endOfRefusal({ raw: begun, stage: 'message', progress, rules }), after: 'drop' };
  return { outcome: lost(text, progress), after: 'drop' };
}

export interface LastWords {
  /** What there was of a reply. */
  readonly begun?: string;
  readonly rules?: readonly ReplyRule[];
}

export function untransmitted(text: string): Outcome {
  return { kind: 'untransmitted', reply: ownReply(text) };
}

function lost(text: string, progress: BodyProgress): Outcome {
  switch (progress) {
    case 'unread':
      return untransmitted(text);
    case 'reading':
      // Not accepted, for its final dot never left; an attempt all the same, for it may be this body that breaks connections.
      return {
        kind: 'deferred',
        class: 'transient',
        reply: ownReply(`${text}, in the middle of the message`),
      };
    case 'ended':
      return { kind: 'unknown', reply: ownReply(`${text}, before the message was answered`) };
  }
}

/** Replies and commands no longer belong together. */
function inDoubt(raw: string): TransactionEnd {
  return { outcome: { kind: 'unknown', reply: ownReply(notAnAnswer(raw)) }, after: 'drop' };
}

function notAnAnswer(raw: string): string {
  return `not an answer to a message: ${cleanText(raw)}`;
}

function accepted(reply: Reply): Outcome {
  const remoteId = remoteIdIn(reply.text);
  return remoteId === undefined ? { kind: 'accepted', reply } : { kind: 'accepted', reply, remoteId };
}

/** Names under which servers keep a message. Postfix, Exim, Exchange and many more; Amazon SES; Gmail. */
const remoteIds = [
  /\bqueued as ([\w.-]{4,100})/i,
  /\bid[=:] ?<?([\w.@-]{4,100})/i,
  /^ok ([\w-]{20,100})$/i,
  /^ok \d+ ([\w.-]{10,100}) - gsmtp$/i,
];

function remoteIdIn(text: string): string | undefined {
  for (const pattern of remoteIds) {
    const id = pattern.exec(text)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

function afterRefusal(reply: Reply, stage: Stage, progress: BodyProgress): TransactionEnd['after'] {
  if (reply.code === 421 || reply.code === 503 || progress === 'reading') return 'drop';
  return stage === 'rcpt' || stage === 'data' ? 'reset' : 'reuse';
}
