/** What became of a transaction, from how it ended and how far the body had got. Pure. */
import type { BodyProgress } from './body-stream.ts';
import { classifyReply, type Stage } from './classify-reply.ts';
import type { Outcome, Reply } from './contract.ts';
import type { ReplyRule } from './reply-rule.ts';
import { cleanText, ownReply, parseReply } from './reply-text.ts';
import type { SmtpError } from './smtp-error.ts';

export interface TransactionEnd {
  readonly outcome: Outcome;
  /**
   * What the session is good for: the next MAIL, a RSET first (MAIL was accepted and the transaction is still open: a second
   * MAIL would be refused with 503, RFC 5321 §4.1.4), or nothing.
   */
  readonly after: 'reuse' | 'reset' | 'drop';
}

export interface SessionKnowledge {
  /** Replies that came since MAIL, as far as they were kept. */
  readonly replies?: readonly string[];
  /** The transport owner's own, asked before the shipped ones. */
  readonly rules?: readonly ReplyRule[];
}

/** nodemailer reports success: any reply that begins with a 2, whatever follows. */
export function endOfAnswer(raw: string, progress: BodyProgress): TransactionEnd {
  const reply = parseReply(raw);
  if (progress !== 'ended' || reply.code < 200 || reply.code > 299) return inDoubt(raw);
  return { outcome: accepted(reply), after: 'reuse' };
}

/**
 * nodemailer reports an error: a refusal by the server, or a connection that ended. Undefined: it ended without a reason.
 */
export function endOfFailure(
  error: SmtpError | undefined,
  progress: BodyProgress,
  { replies = [], rules = [] }: SessionKnowledge = {},
): TransactionEnd {
  const reply = refusalIn(error, progress);
  if (reply) return refused({ reply, stage: stageOf(error), progress, rules });
  const earlier = progress === 'unread' && !error?.response ? firstRefusal(replies) : undefined;
  // Which command it answered isn't known, so it is held against the sender and not the address.
  if (earlier)
    return { outcome: refused({ reply: earlier, stage: 'mail', progress, rules }).outcome, after: 'drop' };
  if (error?.response && progress === 'ended') return inDoubt(error.response);
  return endOfLoss(error ? lossText(error) : 'connection closed', progress);
}

/** The connection is gone or given up, and the server hasn't said what it did. */
export function endOfLoss(text: string, progress: BodyProgress): TransactionEnd {
  return { outcome: lost(text, progress), after: 'drop' };
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

/** An answer to the message that is no answer: replies and commands no longer belong together. */
function inDoubt(raw: string): TransactionEnd {
  return {
    outcome: { kind: 'unknown', reply: ownReply(`not an answer to a message: ${cleanText(raw)}`) },
    after: 'drop',
  };
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

function refusalIn(error: SmtpError | undefined, progress: BodyProgress): Reply | undefined {
  if (!error?.response || error.code === 'EPROTOCOL') return undefined;
  const reply = parseReply(error.response);
  if (reply.code < 400) return undefined;
  // Half a reply, cut by the connection's end: before the body nobody knows which command it answered.
  if (isCutOff(error) && progress === 'unread') return undefined;
  return reply;
}

function firstRefusal(replies: readonly string[]): Reply | undefined {
  return replies.map(parseReply).find(({ code }) => code >= 400);
}

/** A 421 that answers RCPT or DATA ends the connection too, but was read in full. */
function isCutOff(error: SmtpError): boolean {
  return error.command === 'CONN' && error.responseCode !== 421;
}

function stageOf(error: SmtpError | undefined): Stage {
  if (error?.code === 'EMESSAGE') return 'message';
  if (error?.command === 'MAIL FROM') return 'mail';
  return error?.command === 'DATA' ? 'data' : 'rcpt';
}

interface Refusal {
  readonly reply: Reply;
  readonly stage: Stage;
  readonly progress: BodyProgress;
  readonly rules: readonly ReplyRule[];
}

function refused({ reply, stage, progress, rules }: Refusal): TransactionEnd {
  const { class: replyClass, isPermanent, retryAfterMs, effect } = classifyReply(reply, stage, rules);
  const after = afterRefusal(reply, stage, progress);
  if (isPermanent) return { outcome: { kind: 'rejected', reply, class: replyClass, effect }, after };
  // The session ended for its own reasons (idle too long, a restart): that says nothing about the message.
  if (reply.code === 421 && stage === 'mail' && replyClass === 'transient')
    return { outcome: { kind: 'untransmitted', reply }, after };
  const deferred = { kind: 'deferred', reply, class: replyClass, effect } as const;
  return { outcome: retryAfterMs === undefined ? deferred : { ...deferred, retryAfterMs }, after };
}

function afterRefusal(reply: Reply, stage: Stage, progress: BodyProgress): TransactionEnd['after'] {
  if (reply.code === 421 || reply.code === 503 || progress === 'reading') return 'drop';
  return stage === 'rcpt' || stage === 'data' ? 'reset' : 'reuse';
}

function lossText(error: SmtpError): string {
  const detail = error.originalCode ?? error.code;
  return detail && detail !== 'ECONNECTION' ? `${error.message} (${detail})` : error.message;
}
