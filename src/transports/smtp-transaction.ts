/**
 * One message over an SMTP session: MAIL, RCPT, DATA, the body, and what became of it.
 *
 * nodemailer's `send` pipelines the envelope where the server offers it (RFC 2920). Its errors don't tell whether a connection was
 * lost before or after the final dot, and its time-outs are restarted by each byte: the body stream knows the one, deadlines
 * here bound the other.
 */
import { messageBuffers, messageSize } from '../render/splice.ts';
import { BodyStream } from './body-stream.ts';
import type { OutboundMessage } from './contract.ts';
import { refuseEnvelope } from './envelope-check.ts';
import type { OwnRules } from './reply-rule.ts';
import type { SmtpError } from './smtp-error.ts';
import { endOfAnswer, endOfFailure, endOfLoss, type TransactionEnd } from './smtp-outcome.ts';
import { abort, forgetReplies, hasUnaskedReply, repliesSince, type SmtpSession } from './smtp-session.ts';
import type { TransportLimits } from './smtp-settings.ts';

type Terms = Pick<TransportLimits, 'envelopeTimeoutMs' | 'acceptTimeoutMs'> & {
  readonly rules?: OwnRules | undefined;
};

/**
 * Hands one message over. Answers within `longestTransactionMs`; rejects only when `mayStart` throws or the message's parts
 * don't belong together. An end after which nodemailer might still write also ends the connection.
 */
export async function transact(
  session: SmtpSession,
  message: OutboundMessage,
  mayStart: () => boolean,
  terms: Terms,
): Promise<TransactionEnd> {
  const { compiled, rendered } = message;
  const size = messageSize(compiled, rendered);
  const refusal = refuseEnvelope(rendered, size, session.offers);
  if (refusal) return { outcome: refusal, after: 'reuse' };
  const envelope = { from: rendered.returnPath, to: [rendered.to], size };
  const buffers = messageBuffers(compiled, rendered);
  return new Promise((resolve, reject) => {
    new Transaction(session, mayStart, terms, { resolve, reject }).start(envelope, buffers);
  });
}

interface Settling {
  resolve(end: TransactionEnd): void;
  reject(error: unknown): void;
}

class Transaction {
  readonly #session: SmtpSession;
  readonly #mayStart: () => boolean;
  readonly #terms: Terms;
  readonly #settling: Settling;
  #body: BodyStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;

  constructor(session: SmtpSession, mayStart: () => boolean, terms: Terms, settling: Settling) {
    this.#session = session;
    this.#mayStart = mayStart;
    this.#terms = terms;
    this.#settling = settling;
  }

  start(envelope: { from: string; to: string[]; size: number }, buffers: readonly Buffer[]): void {
    const { connection } = this.#session;
    this.#startTimer(this.#terms.envelopeTimeoutMs, 'MAIL, RCPT and DATA were not answered in time');
    connection.on('end', this.#onConnectionEnd);
    forgetReplies(connection);
    this.#body = new BodyStream(buffers, () => this.#mayLeave());
    connection.send(envelope, this.#body, (error, sent) => {
      if (error) this.#fail(error as SmtpError);
      else this.#settle(endOfAnswer(sent?.response ?? '', this.#progress));
    });
  }

  get #progress() {
    return this.#body?.progress ?? 'unread';
  }

  /**
   * After the 354, before the first byte. Saying no can't be taken back by sending nothing: an empty body and its
   * dot would be an empty mail. So the connection ends without a dot, and the server must forget the transaction.
   * If we die once this has said yes, the delivery is `attempting` in the ledger and becomes in doubt; before, it is retried.
   */
  #mayLeave(): boolean {
    const { connection } = this.#session;
    if (this.#isSettled) return false;
    // nodemailer also takes a 2yz for a 354; that would be the answer to some earlier command.
    if (!String(connection.lastServerResponse).startsWith('354') || hasUnaskedReply(connection))
      return this.#refuseToStart('replies out of step with the commands');
    try {
      if (!this.#mayStart()) return this.#refuseToStart('called back before its first byte');
    } catch (error) {
      this.#abandon();
      this.#settling.reject(error);
      return false;
    }
    this.#startTimer(this.#terms.acceptTimeoutMs, 'the message was not answered in time');
    this.#gatherWrites();
    return true;
  }

  /** Body and final dot leave in one write instead of two: a system call less, and a packet. */
  #gatherWrites(): void {
    const socket = this.#session.connection._socket;
    if (!socket) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  }

  #refuseToStart(text: string): false {
    this.#settle(endOfLoss(text, 'unread'));
    return false;
  }

  #startTimer(ms: number, text: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(endOfLoss(text, this.#progress)), ms);
  }

  /** nodemailer emits `end` first and calls back with the reason afterwards, in the same tick; some of its paths never do. */
  readonly #onConnectionEnd = (): void => {
    queueMicrotask(() => this.#fail(undefined));
  };

  #fail(error: SmtpError | undefined): void {
    const replies = repliesSince(this.#session.connection);
    this.#settle(endOfFailure(error, this.#progress, { replies, rules: this.#terms.rules?.() ?? [] }));
  }

  #settle(end: TransactionEnd): void {
    if (this.#isSettled) return;
    if (end.after === 'drop') this.#abandon();
    else this.#finish();
    this.#settling.resolve(end);
  }

  #abandon(): void {
    this.#finish();
    abort(this.#session);
  }

  #finish(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#session.connection.removeListener('end', this.#onConnectionEnd);
  }
}
