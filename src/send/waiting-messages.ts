/** The messages of a grant that wait for their turn, in order. Those that came back are served first. */
import type { RenderedMessage, RenderedMessages } from '../render/message.ts';

export class WaitingMessages {
  readonly #messages: RenderedMessages;
  #next = 0;
  #returned: RenderedMessage[] = [];

  constructor(messages: RenderedMessages) {
    this.#messages = messages;
  }

  get length(): number {
    return this.#returned.length + this.#messages.length - this.#next;
  }

  /** Up to `n`, out of here. */
  take(n: number): readonly RenderedMessage[] {
    const taken = this.#returned.splice(0, n);
    while (taken.length < n && this.#next < this.#messages.length) {
      taken.push(this.#messages.at(this.#next++) as RenderedMessage);
    }
    return taken;
  }

  giveBack(messages: readonly RenderedMessage[]): void {
    this.#returned.unshift(...messages);
  }
}
