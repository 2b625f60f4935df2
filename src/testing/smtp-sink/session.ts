import type { Socket } from 'node:net';
import type { AcceptedMessage } from './accepted-message.ts';
import { perform, refuseAsProvider, type Scene } from './actions.ts';
import { domainOf } from './commands.ts';
import { Conversation, type Verdict } from './conversation.ts';
import type { House } from './house.ts';
import { IncomingMessage } from './incoming-message.ts';
import { Input, type Line } from './input.ts';
import { formatReply } from './replies.ts';
import type { RuleState } from './rule.ts';
import { Wire } from './wire.ts';

/** While a reply is held back we read on, to notice when the client leaves, but only so far. */
const HELD_INPUT_LIMIT_BYTES = 256 * 1024;

type NamedRule = RuleState['rule'];

/** One connection: cuts what comes into commands and messages, has the conversation judge them, and lets rules step in. */
export class Session {
  readonly id: number;
  readonly #house: House;
  readonly #wire: Wire;
  readonly #conversation: Conversation;
  readonly #input: Input;
  readonly #scene: Scene;
  /** A reply is under way or held back: nothing more is looked at before it is out. */
  #isHeld = false;
  #isDeaf = false;
  #lastWords = '';
  #message: IncomingMessage | undefined;
  #bodyFault: NamedRule | undefined;
  #goOn: (() => void) | undefined;

  constructor(id: number, tcp: Socket, house: House) {
    this.id = id;
    this.#house = house;
    this.#input = new Input(house.maxLineBytes);
    this.#conversation = new Conversation(house.terms, house.implicitTls !== undefined);
    this.#wire = new Wire(tcp, {
      received: (chunk) => this.#receive(chunk),
      idle: () => this.#sendAwayIdle(),
      closed: () => this.#closed(),
    });
    this.#scene = this.#setScene();
    if (house.idleTimeoutMs !== undefined) this.#wire.closeWhenIdleFor(house.idleTimeoutMs);
  }

  begin(): void {
    const greet = (): void => this.#answer(this.#conversation.greeting());
    if (this.#house.implicitTls !== undefined) this.#shakeHands(greet);
    else greet();
    this.#wire.flush();
  }

  turnAway(code: number, text: string): void {
    this.#isDeaf = true;
    this.#wire.say(formatReply(code, text));
    this.#wire.hangUp();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  #setScene(): Scene {
    return {
      house: this.#house,
      wire: this.#wire,
      settle: (verdict) => this.#settle(verdict),
      follow: (verdict) => this.#follow(verdict),
      hold: (then) => this.#hold(then),
      stalled: (ruleId, goOn) => {
        this.#goOn = goOn;
        this.#house.stalled.set(goOn, ruleId);
      },
      goDeaf: (lastWords) => {
        this.#isDeaf = true;
        this.#lastWords = lastWords;
      },
    };
  }

  #receive(chunk: Buffer): void {
    if (this.#isDeaf) {
      this.#sayLastWords();
      return;
    }
    this.#input.add(chunk);
    if (!this.#isHeld) this.#drain();
    else if (this.#input.length > HELD_INPUT_LIMIT_BYTES) this.#wire.pause();
  }

  #sayLastWords(): void {
    this.#wire.say(this.#lastWords);
    this.#lastWords = '';
    this.#wire.flush();
  }

  #drain(): void {
    while (!this.#isHeld && this.#wire.isOpen && this.#advance());
    if (this.#wire.isOpen) this.#wire.flush();
  }

  /** One command, or one piece of a message. False when more input is needed. */
  #advance(): boolean {
    if (this.#message?.isComplete) this.#finishMessage(this.#message);
    else if (this.#conversation.isReceiving && this.#message === undefined) this.#beginMessage();
    else if (this.#input.length === 0) return false;
    else if (this.#message !== undefined) this.#readMessage(this.#message);
    else return this.#readLine();
    return true;
  }

  #readLine(): boolean {
    const line = this.#input.nextLine();
    if (line !== undefined) this.#answer(this.#judge(line));
    return line !== undefined;
  }

  #judge(line: Line): Verdict {
    if (line.kind === 'line') return this.#conversation.respond(line.text);
    return line.kind === 'too long'
      ? this.#conversation.refuseLongLine()
      : this.#conversation.refuseBareLineFeed();
  }

  #beginMessage(): void {
    const { from, recipients } = this.#conversation;
    this.#message = new IncomingMessage(this.#house.keeps({ from, to: recipients }));
    this.#bodyFault = this.#takeRule({ stage: 'body', reply: '', addresses: recipients });
    this.#failBodyIfDue(this.#message);
  }

  #readMessage(message: IncomingMessage): void {
    this.#input.giveTo(
      message,
      this.#bodyFault === undefined ? Infinity : afterBytes(this.#bodyFault) - message.received,
    );
    this.#failBodyIfDue(message);
  }

  #failBodyIfDue(message: IncomingMessage): void {
    const fault = this.#bodyFault;
    if (fault === undefined) return;
    if (!message.isComplete && message.received < afterBytes(fault)) return;
    this.#bodyFault = undefined;
    perform(this.#scene, fault, { stage: 'body', reply: '', addresses: this.#conversation.recipients });
  }

  #finishMessage(message: IncomingMessage): void {
    const { from, recipients } = this.#conversation;
    this.#message = undefined;
    this.#conversation.endTransaction();
    const { sizeLimit } = this.#house.terms.extensions;
    const isTooLarge = sizeLimit > 0 && message.size > sizeLimit;
    this.#answer(
      isTooLarge ? this.#conversation.refuseTooLarge() : this.#acceptance(message, from, recipients),
    );
  }

  #acceptance(message: IncomingMessage, from: string, recipients: readonly string[]): Verdict {
    const provider = this.#house.gate.providerOf(domainOf(recipients[0] ?? ''));
    const text = provider.accepted(this.#house.nextQueueId(), message.messageId);
    const effect = (): void => this.#house.accept(this.#record(message, from, recipients));
    return { stage: 'dot', reply: `250 ${text}\r\n`, addresses: recipients, effect };
  }

  #record(message: IncomingMessage, from: string, to: readonly string[]): AcceptedMessage {
    const { messageId, size, bytes } = message;
    const record = { at: this.#house.now(), connectionId: this.id, from, to, messageId, size };
    return bytes === undefined ? record : { ...record, bytes };
  }

  #answer(verdict: Verdict): void {
    const refusal =
      verdict.stage === 'rcpt' ? this.#house.gate.admit(this.id, verdict.addresses?.[0] ?? '') : undefined;
    const rule = this.#takeRule(verdict);
    if (rule !== undefined) perform(this.#scene, rule, verdict);
    else if (refusal !== undefined) refuseAsProvider(this.#scene, refusal, verdict);
    else this.#settle(verdict);
  }

  #takeRule({ stage, addresses = [] }: Verdict): NamedRule | undefined {
    if (stage === undefined || !this.#house.rules.has(stage)) return undefined;
    const messageOnConnection = this.#conversation.messageNumber;
    return this.#house.rules.take(stage, { connectionId: this.id, messageOnConnection, addresses });
  }

  #settle(verdict: Verdict): void {
    verdict.effect?.();
    this.#wire.say(verdict.reply);
    this.#follow(verdict);
  }

  #follow({ stage, addresses = [] }: Verdict): void {
    if (stage === 'quit') this.#wire.hangUp();
    else if (stage === 'starttls') {
      this.#whenWritten(() => this.#shakeHands(() => this.#conversation.secured()));
    } else if (stage === 'dot' && this.#house.rules.has('accepted')) {
      this.#whenWritten(() => this.#answer({ stage: 'accepted', reply: '', addresses }));
    }
  }

  #shakeHands(then: () => void): void {
    // What was pipelined behind STARTTLS came in the clear, maybe from someone in the middle: it is dropped (CVE-2011-0411).
    this.#input.clear();
    const secure = (): void => {
      this.#wire.secure(this.#house.secureContext(), () => {
        then();
        this.#wire.flush();
      });
    };
    this.#answer({ stage: 'tls', reply: '', effect: secure });
  }

  #whenWritten(then: () => void): void {
    this.#wire.flush(this.#hold(then));
  }

  #hold(then: () => void): () => void {
    this.#isHeld = true;
    return () => {
      if (!this.#wire.isOpen) return;
      this.#isHeld = false;
      then();
      this.#wire.resume();
      if (!this.#isHeld) this.#drain();
    };
  }

  #sendAwayIdle(): void {
    if (this.#isHeld || !this.#wire.isOpen) return;
    this.#wire.say(formatReply(421, '4.4.2 Idle for too long, closing connection'));
    this.#wire.hangUp();
  }

  #closed(): void {
    if (this.#goOn !== undefined) this.#house.stalled.delete(this.#goOn);
    if (this.#conversation.isReceiving) this.#house.interrupted();
    this.#house.closed(this.id);
  }
}

function afterBytes(fault: NamedRule): number {
  return fault.afterBytes ?? 0;
}
