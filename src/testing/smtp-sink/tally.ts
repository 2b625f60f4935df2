import type { AcceptedMessage } from './accepted-message.ts';
import { domainOf } from './commands.ts';

/**
 * What the sink keeps in memory of each accepted message: `messages` all of it, `addresses` the counts per address and Message-ID
 * (about 300 bytes a message), `counters` only totals and counts per domain, for runs of millions with a log file.
 */
export type Memory = 'messages' | 'addresses' | 'counters';

/** All that was accepted, as it stands now. The maps are live: read, don't keep. */
export interface Accepted {
  readonly messages: number;
  /** Recipients of accepted messages: more than messages when some had several. */
  readonly recipients: number;
  readonly bytes: number;
  /** By domain, in lower case. */
  readonly byDomain: ReadonlyMap<string, number>;
  /** By address, in lower case. Empty with memory `counters`. */
  readonly byAddress: ReadonlyMap<string, number>;
  /** By Message-ID. Empty with memory `counters`. */
  readonly byMessageId: ReadonlyMap<string, number>;
  /** In order of arrival. Empty unless memory is `messages`. */
  readonly log: readonly AcceptedMessage[];
  /** The messages whose bytes were kept, in order of arrival. */
  readonly kept: readonly AcceptedMessage[];
  /** Addresses that got more than one message. Empty with memory `counters`. */
  duplicates(): readonly string[];
}

export class Tally implements Accepted {
  readonly #memory: Memory;
  messages = 0;
  recipients = 0;
  bytes = 0;
  readonly byDomain = new Map<string, number>();
  readonly byAddress = new Map<string, number>();
  readonly byMessageId = new Map<string, number>();
  readonly log: AcceptedMessage[] = [];
  readonly kept: AcceptedMessage[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  add(message: AcceptedMessage): void {
    this.messages++;
    this.recipients += message.to.length;
    this.bytes += message.size;
    for (const address of message.to) this.#addRecipient(address.toLowerCase());
    if (this.#memory !== 'counters') increment(this.byMessageId, message.messageId);
    if (this.#memory === 'messages') this.log.push(message);
    if (message.bytes !== undefined) this.kept.push(message);
  }

  duplicates(): readonly string[] {
    return [...this.byAddress].filter(([, count]) => count > 1).map(([address]) => address);
  }

  clear(): void {
    this.messages = this.recipients = this.bytes = 0;
    for (const map of [this.byDomain, this.byAddress, this.byMessageId]) map.clear();
    this.log.length = this.kept.length = 0;
  }

  #addRecipient(address: string): void {
    increment(this.byDomain, domainOf(address));
    if (this.#memory !== 'counters') increment(this.byAddress, address);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
