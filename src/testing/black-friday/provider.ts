/** A mailbox provider as the cell meets it: it takes so many messages a second, refuses the rest with 421, and may be away. */
import { answers } from './published-day.ts';

/** What a provider takes at once, in seconds of its limit. */
const burstSeconds = 0.3;

export interface Answered {
  readonly accepted: number;
  readonly bounced: number;
  /** For reasons of the recipient's own. */
  readonly deferred: number;
  readonly throttled: number;
}

export class Provider {
  readonly name: string;
  readonly perSecond: number;
  isAway = false;
  #tokens: number;
  /** Parts of messages, carried over, so that rounding loses none. */
  readonly #carried = { bounced: 0, deferred: 0 };

  constructor(name: string, perSecond: number) {
    this.name = name;
    this.perSecond = perSecond;
    this.#tokens = perSecond * burstSeconds;
  }

  /** Messages handed over in a step of so long, `retries` of them not for the first time. */
  take(messages: number, retries: number, stepMs: number): Answered {
    const { perSecond } = this;
    // Within a step they come evenly: what is refilled meanwhile is there for them.
    this.#tokens = Math.min(perSecond * burstSeconds, this.#tokens) + (perSecond * stepMs) / 1_000;
    const taken = Math.min(messages, Math.floor(this.#tokens));
    this.#tokens -= taken;
    const takenRetries = messages === 0 ? 0 : (retries * taken) / messages;
    const bounced = this.#whole('bounced', taken * answers.bounced);
    const deferring = (taken - takenRetries) * answers.deferredFirst + takenRetries * answers.deferredAgain;
    const deferred = Math.min(taken - bounced, this.#whole('deferred', deferring));
    return { accepted: taken - bounced - deferred, bounced, deferred, throttled: messages - taken };
  }

  #whole(kind: 'bounced' | 'deferred', messages: number): number {
    const sum = this.#carried[kind] + messages;
    const whole = Math.floor(sum);
    this.#carried[kind] = sum - whole;
    return whole;
  }
}
