/** A courier over one SMTP session: one message at a time, many one after another, each announced behind the one before where that is of use. */
import type { Courier, OutboundMessage, Outcome } from './contract.ts';
import { ask } from './smtp-dialogue.ts';
import { untransmitted } from './smtp-outcome.ts';
import type { SmtpConfiguration, SmtpSession } from './smtp-session.ts';
import { prepareTransaction, Transaction, type Turn } from './smtp-transaction.ts';

/** How long a server may take to answer QUIT. Nothing depends on it. */
const goodbyeMs = 1000;
/**
 * A message is announced only to a server whose last answer to a final dot took no longer: what is announced has to start soon, or its connection
 * is lost.
 */
const promptAnswerMs = 250;

/** Of a transport's servers, known to all its couriers. */
export interface ServerHabits {
  /** What stands behind a final dot is not heard: nothing is announced any more. */
  dropsAnnounced: boolean;
}

type Configuration = Pick<SmtpConfiguration, 'limits' | 'rules'> & {
  readonly settings?: Pick<SmtpConfiguration['settings'], 'pipelining'>;
};

export class SmtpCourier implements Courier {
  readonly #session: SmtpSession;
  readonly #limits: SmtpConfiguration['limits'];
  readonly #rules: SmtpConfiguration['rules'];
  readonly #pipelining: 'none' | 'message' | 'connection';
  readonly #habits: ServerHabits;
  #carried = 0;
  #isBusy = false;
  /** Its envelope has been said: it waits for its message to be handed over. */
  #announced: Transaction | undefined;
  #answerMs = Number.POSITIVE_INFINITY;
  /** The RSET under way, if any. */
  #reset: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    session: SmtpSession,
    { limits, rules, settings }: Configuration,
    habits: ServerHabits = { dropsAnnounced: false },
  ) {
    this.#habits = habits;
    this.#rules = rules;
    this.#session = session;
    this.#limits = limits;
    this.#pipelining = session.offers.pipelining ? (settings?.pipelining ?? 'connection') : 'none';
    this.#startIdling();
  }

  get isUsable(): boolean {
    return this.#hasRoomFor(1) && !this.#closed && this.#session.dialogue.isAlive;
  }

  async deliver(
    messages: readonly OutboundMessage[],
    mayStart: () => boolean,
    next?: () => OutboundMessage | undefined,
  ): Promise<readonly Outcome[]> {
    if (messages.length > 1)
      throw new RangeError(`an SMTP courier takes 1 message per call, not ${messages.length}`);
    if (this.#isBusy) throw new Error('the courier is still delivering');
    const message = messages[0];
    return message ? [await this.#deliverOne(message, { mayStart, announce: this.#announcing(next) })] : [];
  }

  /** In the middle of a message this breaks the connection: the message ends as one that was lost. */
  close(): Promise<void> {
    this.#closed ??= this.#sayGoodbye();
    return this.#closed;
  }

  async #deliverOne(message: OutboundMessage, turn: Turn): Promise<Outcome> {
    this.#isBusy = true;
    clearTimeout(this.#idleTimer);
    try {
      await this.#reset;
      const announced = this.#takeAnnounced(message);
      const transaction = announced ?? this.#begin(message);
      if (!(transaction instanceof Transaction)) return transaction;
      const outcome = await this.#finish(transaction, turn);
      if (announced?.isUnheard) this.#habits.dropsAnnounced = true;
      return outcome;
    } finally {
      this.#isBusy = false;
      this.#startIdling();
    }
  }

  /** DATA was said for it and can't be taken back: where another message comes in its place, the connection ends without a byte of either. */
  #takeAnnounced(message: OutboundMessage): Transaction | undefined {
    const announced = this.#announced;
    this.#announced = undefined;
    if (announced?.isOf(message)) return announced;
    if (announced) this.#session.dialogue.abort();
    return undefined;
  }

  #begin(message: OutboundMessage): Transaction | Outcome {
    // A server ends an idle session whenever it likes, or after a refusal: found here, it costs nothing.
    if (!this.isUsable) return untransmitted('the connection is no longer usable');
    const transaction = this.#prepare(message);
    if (transaction instanceof Transaction) transaction.begin(this.#pipelining !== 'none');
    return transaction;
  }

  #prepare(message: OutboundMessage): Transaction | Outcome {
    return prepareTransaction(this.#session, message, { ...this.#limits, rules: this.#rules });
  }

  async #finish(transaction: Transaction, turn: Turn): Promise<Outcome> {
    const { outcome, after } = await transaction.run(turn);
    this.#carried += 1;
    this.#answerMs = transaction.answerMs ?? this.#answerMs;
    if (after === 'reset') this.#reset = this.#resetSession();
    return outcome;
  }

  #announcing(next: (() => OutboundMessage | undefined) | undefined): Turn['announce'] {
    const isOfUse = this.#pipelining === 'connection' && !this.#habits.dropsAnnounced;
    if (!next || !isOfUse || this.#answerMs > promptAnswerMs || !this.#hasRoomFor(2)) return undefined;
    return () => {
      const message = next();
      this.#announced = message && this.#prepareAhead(message);
      return this.#announced;
    };
  }

  /** What can't be announced is refused, or fails, when it is handed over. */
  #prepareAhead(message: OutboundMessage): Transaction | undefined {
    try {
      const transaction = this.#prepare(message);
      return transaction instanceof Transaction ? transaction : undefined;
    } catch {
      return undefined;
    }
  }

  #hasRoomFor(messages: number): boolean {
    const { messagesPerConnection } = this.#limits;
    return messagesPerConnection === 0 || this.#carried + messages <= messagesPerConnection;
  }

  /** Sent at once and waited for by the next message, so that it costs no round trip of its own. */
  async #resetSession(): Promise<void> {
    const { dialogue } = this.#session;
    const reply = await ask(dialogue, 'RSET', this.#limits.envelopeTimeoutMs);
    this.#reset = undefined;
    if (!reply || reply.code < 200 || reply.code > 299) dialogue.drop();
  }

  #startIdling(): void {
    if (this.#closed || !this.#session.dialogue.isAlive) return;
    this.#idleTimer = setTimeout(() => void this.close(), this.#limits.idleTimeoutMs).unref();
  }

  async #sayGoodbye(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const { dialogue } = this.#session;
    // A RSET that isn't answered yet would take the answer for its own, and after DATA it would be the message's.
    const isFree = !this.#isBusy && !this.#reset && !this.#announced;
    if (isFree && dialogue.isAlive) await ask(dialogue, 'QUIT', goodbyeMs);
    dialogue.drop();
    await this.#socketIsClosed();
  }

  #socketIsClosed(): Promise<void> {
    const { socket } = this.#session;
    return new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', () => resolve());
    });
  }
}
