import type { SecureContext } from 'node:tls';
import type { AcceptedMessage } from './accepted-message.ts';
import type { ConversationTerms } from './conversation.ts';
import type { ProviderGate } from './provider-gate.ts';
import type { RuleBook } from './rule-book.ts';
import type { Random } from './seeded-random.ts';

/** What all connections of one sink share. */
export interface House {
  readonly terms: ConversationTerms;
  readonly maxLineBytes: number;
  readonly idleTimeoutMs: number | undefined;
  readonly implicitTls: SecureContext | undefined;
  readonly rules: RuleBook;
  readonly gate: ProviderGate;
  readonly random: Random;
  /** How to let each stalled connection go on, and the rule that stalled it. */
  readonly stalled: Map<() => void, string>;
  secureContext(): SecureContext;
  now(): number;
  nextQueueId(): string;
  keeps(envelope: { from: string; to: readonly string[] }): boolean;
  /** Logs a message. When it returns, the message may be told accepted. */
  accept(message: AcceptedMessage): void;
  /** The connection of this number is gone. */
  closed(connectionId: number): void;
  /** A connection ended in the middle of a message. */
  interrupted(): void;
}
