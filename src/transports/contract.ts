/**
 * The transport contract: one page, and one conformance suite (`conformance.ts`) that every transport passes.
 *
 * A transport is a configured way out. It opens couriers; a courier is one ready connection that hands over one call's worth of messages
 * at a time and says what became of each. The transport alone decides what a reply means: nobody above reads its text.
 */
import type { CompiledMessage, RenderedMessage } from '../render/message.ts';

/** What came back from the other side, as it said it, cut to 200 characters and free of control characters. */
export interface Reply {
  /** SMTP reply code or HTTP status; 0 when the other side said nothing. */
  readonly code: number;
  /** RFC 3463 enhanced status code, as `5.1.1`, when there was one. */
  readonly enhanced?: string;
  readonly text: string;
}

/** What a refusal is about, hence what it may slow down or stop (reference: reply-rules.ts). */
export type ReplyClass =
  /** The address doesn't exist or takes no mail: suppress it. */
  | 'address'
  /** Try again later; says nothing about others. Greylisting, full mailbox, local trouble. */
  | 'transient'
  /** The destination wants less: shrink its window; the message's attempts are not burnt. */
  | 'throttled'
  /** The destination refuses the sender for policy or reputation: pause and alert, never suppress. */
  | 'policy'
  /** This message or its sender address can't be taken (too big, bad syntax). */
  | 'message'
  /** Our credentials or account: the transport as a whole can't send. */
  | 'account';

/**
 * What a refusal does beyond its own message, and to whom. Every action ends by itself: a slowed destination learns its rate back, and
 * the others have a duration.
 */
export interface ReplyEffect {
  /**
   * `none`: its message alone is concerned. `slow`: less, please: windows and the learnt rate shrink. `rest`: nothing is tried for `durationMs`.
   * `pause_sender`: the message's sending domain rests at this destination for `durationMs`, and somebody is told; no address is suppressed.
   */
  readonly action: 'none' | 'slow' | 'rest' | 'pause_sender';
  /** What it is about: `recipient` is the message itself, `transport` all destinations of the transport. */
  readonly scope: 'recipient' | 'destination' | 'transport' | 'sender';
  /** Always there for `rest` and `pause_sender`: from a second to a day. */
  readonly durationMs?: number;
}

/** What became of one attempt. Expected outcomes are values: `deliver` throws only for bugs. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly reply: Reply; readonly remoteId?: string }
  /**
   * Not accepted, for now: refused, or the connection broke in the body before the message's end could leave. Counts as an attempt
   * unless `throttled`. `retryAfterMs` is set when the other side named a time, or is known to want one.
   */
  | {
      readonly kind: 'deferred';
      readonly reply: Reply;
      readonly class: ReplyClass;
      readonly retryAfterMs?: number;
      /** Absent: none; the other side said nothing, its connection broke. */
      readonly effect?: ReplyEffect;
    }
  /** Refused for good. */
  | {
      readonly kind: 'rejected';
      readonly reply: Reply;
      readonly class: ReplyClass;
      readonly effect?: ReplyEffect;
    }
  /** All of the message may have left and no answer came: it may have been accepted. */
  | { readonly kind: 'unknown'; readonly reply: Reply }
  /** Proven: not one byte of the body left. Safe to try again, no attempt burnt. */
  | { readonly kind: 'untransmitted'; readonly reply: Reply };

/** One message to hand over: who gets it, and its bytes as segments of the compiled message plus the recipient's own. */
export interface OutboundMessage {
  readonly compiled: CompiledMessage;
  readonly rendered: RenderedMessage;
}

export interface Capabilities {
  /** How many messages `deliver` takes in one call (SMTP: 1). */
  readonly messagesPerCall: number;
  /** How many couriers may be open to it from this process at once. */
  readonly maxCouriers: number;
}

/** Why no courier could be opened. */
export interface OpenFailure {
  readonly reply: Reply;
  /** `refused`: no connection or a stalled one; `tls`, `auth`, `busy` (421 or 4xx banner), `blocked` (5xx banner), `forbidden` (the host is not one we may connect to). */
  readonly cause: 'refused' | 'timeout' | 'tls' | 'auth' | 'busy' | 'blocked' | 'forbidden';
}

export interface Courier {
  /** False once it must not be used again: broken, closing, or it carried its share of messages. Then `close()` it. */
  readonly isUsable: boolean;
  /**
   * Hand over messages; answers one outcome per message, in their order, within the transport's time-outs.
   * `mayStart` is asked at the last moment before body bytes leave (SMTP: after the 354). When it says no, nothing is
   * transmitted and the outcome is `untransmitted`.
   *
   * `next` is asked at most once per call, when the last body bytes are about to leave, and only where that is of use: which message comes next? It
   * may be announced with them, without one byte of its body. So the next call has to be for it, though the courier is no longer usable: its outcome waits
   * there, and its own `mayStart` is asked then. A courier whose announced message isn't handed over is lost: any other message ends it, and is `untransmitted`.
   */
  deliver(
    messages: readonly OutboundMessage[],
    mayStart: () => boolean,
    next?: () => OutboundMessage | undefined,
  ): Promise<readonly Outcome[]>;
  /** Says goodbye and frees the connection. Idempotent, bounded, never throws. */
  close(): Promise<void>;
}

export type OpenResult =
  | { readonly kind: 'open'; readonly courier: Courier }
  | { readonly kind: 'failed'; readonly failure: OpenFailure };

export interface Transport {
  readonly capabilities: Capabilities;
  /** Opens one courier: connected, greeted, secured and authenticated, so that a message can start at once. */
  open(): Promise<OpenResult>;
}
