/**
 * One message over an SMTP session: MAIL, RCPT, DATA, the body, and what became of it (RFC 5321 §3.3).
 *
 * Where the server offers PIPELINING (RFC 2920) the three commands leave in one write; else each waits for the answer to the one before. Either way the
 * body waits for the 354, and every reply is known by the command it answers.
 */
import { messageSize, wireBuffers } from '../render/splice.ts';
import { BodyWriter } from './body-writer.ts';
import type { Stage } from './classify-reply.ts';
import type { OutboundMessage } from './contract.ts';
import { refuseEnvelope } from './envelope-check.ts';
import type { RawReply } from './reply-reader.ts';
import type { OwnRules } from './reply-rule.ts';
import type { Asker, SmtpDialogue } from './smtp-dialogue.ts';
import { type EnvelopeCommands, envelopeCommands } from './smtp-envelope.ts';
import { endOfAnswer, endOfLoss, endOfRefusal, type Refusal, type TransactionEnd } from './smtp-outcome.ts';
import type { SmtpSession } from './smtp-session.ts';
import type { TransportLimits } from './smtp-settings.ts';

type Terms = Pick<TransportLimits, 'envelopeTimeoutMs' | 'acceptTimeoutMs'> & {
  readonly rules?: OwnRules | undefined;
};

/**
 * Hands one message over. Answers within `longestTransactionMs`; rejects only when `mayStart` throws or the message's parts
 * don't belong together. An end with `drop` has also ended the connection.
 */
export async function transact(
  { dialogue, offers }: SmtpSession,
  message: OutboundMessage,
  mayStart: () => boolean,
  terms: Terms,
): Promise<TransactionEnd> {
  const { compiled, rendered } = message;
  const size = messageSize(compiled, rendered);
  const refusal = refuseEnvelope(rendered, size, offers);
  if (refusal) return { outcome: refusal, after: 'reuse' };
  const body = new BodyWriter(dialogue, wireBuffers(compiled, rendered));
  const commands = envelopeCommands(rendered, size, offers);
  return new Promise((resolve, reject) => {
    const transaction = new Transaction({ dialogue, commands, body, mayStart, terms, resolve, reject });
    transaction.start(offers.pipelining);
  });
}

interface Task {
  readonly dialogue: SmtpDialogue;
  readonly commands: EnvelopeCommands;
  readonly body: BodyWriter;
  readonly mayStart: () => boolean;
  readonly terms: Terms;
  resolve(end: TransactionEnd): void;
  reject(error: unknown): void;
}

const outOfStep = 'replies out of step with the commands';

class Transaction implements Asker {
  readonly #task: Task;
  /** What was said and not answered, in order. `nobody`: the dot of an empty message for no one. */
  #awaited: (Stage | 'nobody')[] = [];
  /** The first; those that follow from it say nothing new. */
  #refusal: Pick<Refusal, 'raw' | 'stage'> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  start(isPipelined: boolean): void {
    const { dialogue, commands, terms } = this.#task;
    this.#startTimer(terms.envelopeTimeoutMs, 'MAIL, RCPT and DATA were not answered in time');
    this.#awaited = isPipelined ? ['mail', 'rcpt', 'data'] : ['mail'];
    dialogue.attend(this);
    dialogue.say(isPipelined ? commands.mail + commands.rcpt + commands.data : commands.mail);
  }

  replied(reply: RawReply, isLast: boolean): void {
    const stage = this.#awaited.shift();
    if (stage === undefined) this.#lose(outOfStep);
    else if (stage === 'nobody') this.#settleRefused(reply.code === 421 || reply.code < 200);
    else if (stage === 'message') this.#settle(endOfAnswer(reply, this.#task.body.progress, this.#rules()));
    else this.#envelopeReplied(stage, reply, isLast);
  }

  lost(text: string, begun: string): void {
    this.#lose(text, begun);
  }

  #envelopeReplied(stage: Stage, { code, raw }: RawReply, isLast: boolean): void {
    if (code >= 400) this.#refusal ??= { raw, stage };
    if (code === 421) this.#settleRefused(true);
    else if (!isExpected(stage, code)) this.#lose(outOfStep);
    else if (code === 354) this.#goAhead(isLast);
    else if (this.#awaited.length > 0) return;
    else if (this.#refusal) this.#settleRefused(false);
    else this.#sayNext(stage === 'mail' ? 'rcpt' : 'data');
  }

  #sayNext(stage: 'rcpt' | 'data'): void {
    this.#awaited.push(stage);
    this.#task.dialogue.say(this.#task.commands[stage]);
  }

  /**
   * A server should refuse DATA when it has refused the recipient. One that answers 354 all the same waits for a message that is to go to nobody: an empty one
   * ends it (RFC 2920 §3.1). One that had refused the sender might send it somewhere, so it gets none.
   */
  #goAhead(isLast: boolean): void {
    if (!isLast) this.#lose(outOfStep);
    else if (!this.#refusal) this.#startBody();
    else if (this.#refusal.stage === 'mail') this.#settleRefused(true);
    else this.#endEmptyMessage();
  }

  /**
   * After the 354, before the first byte. Saying no can't be taken back by sending nothing: an empty body and its
   * dot would be an empty mail. So the connection ends without a dot, and the server must forget the transaction.
   * If we die once `mayStart` has said yes, the delivery is `attempting` in the ledger and becomes in doubt; before, it is retried.
   */
  #startBody(): void {
    if (!this.#mayStart()) return;
    this.#startTimer(this.#task.terms.acceptTimeoutMs, 'the message was not answered in time');
    this.#awaited.push('message');
    this.#task.body.start();
  }

  #mayStart(): boolean {
    try {
      if (this.#task.mayStart()) return this.#task.dialogue.isAlive;
      this.#lose('called back before its first byte');
    } catch (error) {
      this.#finish();
      this.#task.dialogue.abort();
      this.#task.reject(error);
    }
    return false;
  }

  #endEmptyMessage(): void {
    this.#awaited.push('nobody');
    this.#task.dialogue.say('.\r\n');
  }

  #startTimer(ms: number, text: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(text), ms);
  }

  /** No more replies to come. A refusal that came before stays one. */
  #lose(text: string, begun = ''): void {
    if (this.#refusal) this.#settleRefused(true);
    else this.#settle(endOfLoss(text, this.#task.body.progress, { begun, rules: this.#rules() }));
  }

  #settleRefused(isOver: boolean): void {
    const { progress } = this.#task.body;
    const end = endOfRefusal({ ...(this.#refusal as Refusal), progress, rules: this.#rules() });
    this.#settle(isOver ? { ...end, after: 'drop' } : end);
  }

  #settle(end: TransactionEnd): void {
    this.#finish();
    if (end.after === 'drop') this.#task.dialogue.abort();
    this.#task.resolve(end);
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#task.dialogue.leave();
  }

  #rules() {
    return this.#task.terms.rules?.() ?? [];
  }
}

/** An answer that this command can have. To DATA only a 354 is a yes: a 2yz would be the answer to an earlier command. */
function isExpected(stage: Stage, code: number): boolean {
  return code >= 400 || (stage === 'data' ? code === 354 : code >= 200 && code < 300);
}
