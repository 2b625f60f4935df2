/**
 * One message over an SMTP session: MAIL, RCPT, DATA, the body, and what became of it (RFC 5321 §3.3).
 *
 * Where the server offers PIPELINING (RFC 2920) the three commands leave in one write, and may leave behind the body of the message before: then the
 * transaction follows that one, and runs when its message is handed over. Else each waits for the answer to the one before. Either way the body
 * waits for the 354, and every reply is known by the command it answers.
 */
import { messageSize, wireBuffers } from '../render/splice.ts';
import { BodyWriter } from './body-writer.ts';
import type { Stage } from './classify-reply.ts';
import type { OutboundMessage, Outcome } from './contract.ts';
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

/** The message's turn has come. */
export interface Turn {
  readonly mayStart: () => boolean;
  /** Asked once, when the body's last bytes are about to leave: the transaction that is to follow on this one. */
  readonly announce?: (() => Transaction | undefined) | undefined;
}

interface Task {
  readonly dialogue: SmtpDialogue;
  readonly message: OutboundMessage;
  readonly commands: EnvelopeCommands;
  readonly terms: Terms;
}

/** An outcome: it can't go over this session. Throws RangeError when the message's parts don't belong together. */
export function prepareTransaction(
  { dialogue, offers }: Pick<SmtpSession, 'dialogue' | 'offers'>,
  message: OutboundMessage,
  terms: Terms,
): Transaction | Outcome {
  const { compiled, rendered } = message;
  const size = messageSize(compiled, rendered);
  const refusal = refuseEnvelope(rendered, size, offers);
  if (refusal) return refusal;
  return new Transaction({ dialogue, message, commands: envelopeCommands(rendered, size, offers), terms });
}

interface Settling {
  resolve(end: TransactionEnd): void;
  reject(error: unknown): void;
}

const outOfStep = 'replies out of step with the commands';

export class Transaction implements Asker {
  readonly #task: Task;
  readonly #body: BodyWriter;
  /** What was said and not answered, in order. `nobody`: the dot of an empty message for no one. */
  #awaited: (Stage | 'nobody')[] = [];
  /** The first; those that follow from it say nothing new. */
  #refusal: Pick<Refusal, 'raw' | 'stage'> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The 354 is here. */
  #isBodyWanted = false;
  #turn: (Turn & Settling) | undefined;
  #end: TransactionEnd | undefined;
  #successor: Transaction | undefined;
  #endedAt = 0;
  #answerMs: number | undefined;
  #isUnheard = false;

  constructor(task: Task) {
    this.#task = task;
    const { compiled, rendered } = task.message;
    this.#body = new BodyWriter(task.dialogue, wireBuffers(compiled, rendered), () => this.#sayBehind());
  }

  /** How long the server took to answer the final dot. */
  get answerMs(): number | undefined {
    return this.#answerMs;
  }

  /** Its time was over before the server had answered even MAIL. */
  get isUnheard(): boolean {
    return this.#isUnheard;
  }

  isOf({ compiled, rendered }: OutboundMessage): boolean {
    const { message } = this.#task;
    return message.compiled === compiled && message.rendered === rendered;
  }

  /** On a session where nobody waits for anything. */
  begin(isPipelined: boolean): void {
    const { dialogue, commands } = this.#task;
    this.#attend(isPipelined ? ['mail', 'rcpt', 'data'] : ['mail']);
    dialogue.say(isPipelined ? commands.mail + commands.rcpt + commands.data : commands.mail);
  }

  /**
   * Once it has begun, or follows on another. Answers within `longestTransactionMs`; rejects only when a question of the turn's throws. An end
   * with `drop` has also ended the connection.
   */
  run(turn: Turn): Promise<TransactionEnd> {
    return new Promise((resolve, reject) => {
      this.#turn = { ...turn, resolve, reject };
      if (this.#end) resolve(this.#end);
      else if (this.#isBodyWanted) this.#startBody();
    });
  }

  replied(reply: RawReply, isLast: boolean): void {
    const stage = this.#awaited.shift();
    if (stage === undefined) this.#lose(outOfStep);
    else if (stage === 'nobody') this.#settleRefused(reply.code === 421 || reply.code < 200);
    else if (stage === 'message') this.#messageReplied(reply);
    else this.#envelopeReplied(stage, reply, isLast);
  }

  lost(text: string, begun: string): void {
    this.#lose(text, begun);
  }

  #messageReplied(reply: RawReply): void {
    if (this.#endedAt > 0) this.#answerMs = performance.now() - this.#endedAt;
    this.#settle(endOfAnswer(reply, this.#body.progress, this.#rules()));
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
    else if (!this.#refusal) this.#wantBody();
    else if (this.#refusal.stage === 'mail') this.#settleRefused(true);
    else this.#endEmptyMessage();
  }

  /** Where it was announced, its message may still have to be handed over: until then the server waits, and the time-out runs. */
  #wantBody(): void {
    this.#isBodyWanted = true;
    if (this.#turn) this.#startBody();
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
    this.#body.start();
  }

  #mayStart(): boolean {
    try {
      // Something was said behind the 354 before its message was handed over.
      if (this.#task.dialogue.isInReply) this.#lose(outOfStep);
      else if (this.#turn?.mayStart()) return this.#task.dialogue.isAlive;
      else this.#lose('called back before its first byte');
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  /** The envelope of the next message leaves with the end of this one (RFC 2920 §3.1), and is attended to when this one is answered. */
  #sayBehind(): string {
    this.#endedAt = performance.now();
    if (!this.#task.dialogue.isAlive) return '';
    try {
      this.#successor = this.#turn?.announce?.();
    } catch (error) {
      this.#fail(error);
    }
    if (!this.#successor) return '';
    const { mail, rcpt, data } = this.#successor.#task.commands;
    return mail + rcpt + data;
  }

  #endEmptyMessage(): void {
    this.#awaited.push('nobody');
    this.#task.dialogue.say('.\r\n');
  }

  #startTimer(ms: number, text: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timeOut(text), ms);
  }

  #timeOut(text: string): void {
    this.#isUnheard = this.#awaited[0] === 'mail';
    this.#lose(text);
  }

  /** No more replies to come. A refusal that came before stays one. */
  #lose(text: string, begun = ''): void {
    if (this.#refusal) this.#settleRefused(true);
    else this.#settle(endOfLoss(text, this.#body.progress, { begun, rules: this.#rules() }));
  }

  #settleRefused(isOver: boolean): void {
    const { progress } = this.#body;
    const end = endOfRefusal({ ...(this.#refusal as Refusal), progress, rules: this.#rules() });
    this.#settle(isOver ? { ...end, after: 'drop' } : end);
  }

  #settle(end: TransactionEnd): void {
    this.#end = end;
    this.#finish();
    if (end.after === 'drop') this.#task.dialogue.abort();
    this.#turn?.resolve(end);
  }

  /** A question threw: a bug. */
  #fail(error: unknown): void {
    this.#finish();
    this.#task.dialogue.abort();
    this.#turn?.reject(error);
  }

  /** First it leaves, so that what is behind this reply in the same chunk is the successor's. */
  #finish(): void {
    clearTimeout(this.#timer);
    this.#task.dialogue.leave();
    if (this.#successor) this.#successor.#attend(['mail', 'rcpt', 'data']);
  }

  #attend(awaited: Stage[]): void {
    this.#startTimer(this.#task.terms.envelopeTimeoutMs, 'MAIL, RCPT and DATA were not answered in time');
    this.#awaited = awaited;
    this.#task.dialogue.attend(this);
  }

  #rules() {
    return this.#task.terms.rules?.() ?? [];
  }
}

/** An answer that this command can have. To DATA only a 354 is a yes: a 2yz would be the answer to an earlier command. */
function isExpected(stage: Stage, code: number): boolean {
  return code >= 400 || (stage === 'data' ? code === 354 : code >= 200 && code < 300);
}
