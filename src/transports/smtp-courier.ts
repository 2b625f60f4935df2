/** A courier over one SMTP session: one message at a time, many one after another. */
import type { Courier, OutboundMessage, Outcome } from './contract.ts';
import type { OwnRules } from './reply-rule.ts';
import { ask } from './smtp-dialogue.ts';
import { untransmitted } from './smtp-outcome.ts';
import type { SmtpSession } from './smtp-session.ts';
import type { TransportLimits } from './smtp-settings.ts';
import { transact } from './smtp-transaction.ts';

/** How long a server may take to answer QUIT. Nothing depends on it. */
const goodbyeMs = 1000;

export class SmtpCourier implements Courier {
  readonly #session: SmtpSession;
  readonly #limits: TransportLimits;
  readonly #rules: OwnRules | undefined;
  #carried = 0;
  #isBusy = false;
  /** The RSET under way, if any. */
  #reset: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(session: SmtpSession, limits: TransportLimits, rules?: OwnRules) {
    this.#rules = rules;
    this.#session = session;
    this.#limits = limits;
    this.#startIdling();
  }

  get isUsable(): boolean {
    const { messagesPerConnection } = this.#limits;
    const hasRoom = messagesPerConnection === 0 || this.#carried < messagesPerConnection;
    return hasRoom && !this.#closed && this.#session.dialogue.isAlive;
  }

  async deliver(messages: readonly OutboundMessage[], mayStart: () => boolean): Promise<readonly Outcome[]> {
    if (messages.length > 1)
      throw new RangeError(`an SMTP courier takes 1 message per call, not ${messages.length}`);
    if (this.#isBusy) throw new Error('the courier is still delivering');
    const message = messages[0];
    return message ? [await this.#deliverOne(message, mayStart)] : [];
  }

  /** In the middle of a message this breaks the connection: the message ends as one that was lost. */
  close(): Promise<void> {
    this.#closed ??= this.#sayGoodbye();
    return this.#closed;
  }

  async #deliverOne(message: OutboundMessage, mayStart: () => boolean): Promise<Outcome> {
    // A server ends an idle session whenever it likes: found here, it costs nothing.
    if (!this.isUsable) return untransmitted('the connection is no longer usable');
    this.#isBusy = true;
    clearTimeout(this.#idleTimer);
    try {
      await this.#reset;
      if (!this.#session.dialogue.isAlive)
        return untransmitted('the connection did not survive the last refusal');
      const { outcome, after } = await transact(this.#session, message, mayStart, {
        ...this.#limits,
        rules: this.#rules,
      });
      this.#carried += 1;
      if (after === 'reset') this.#reset = this.#resetSession();
      return outcome;
    } finally {
      this.#isBusy = false;
      this.#startIdling();
    }
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
    // A RSET that isn't answered yet would take the answer for its own.
    if (!this.#isBusy && !this.#reset && dialogue.isAlive) await ask(dialogue, 'QUIT', goodbyeMs);
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
