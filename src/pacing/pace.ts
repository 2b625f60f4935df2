/**
 * What the fleet knows of a destination's pace, and what its workers report of it: the words shared by those who learn (the leading
 * dispatcher), those who obey (the send workers) and those who show it (the API).
 *
 * Workers report what replies taught them; the leader alone learns from it (`learn.ts`, pure) and publishes the pace; workers read it back.
 * One learner, so that nothing is decided twice. All times are the reader's own monotonic ms or durations: clocks are never compared.
 */

/** What one worker lived through with one destination since its last report. Counts of messages, but for connections. */
export interface PaceReport {
  readonly destinationId: number;
  /** Accepted by the other side. */
  readonly accepted: number;
  /** Refused for a reason of the recipient's or the message's own: the destination itself is well. */
  readonly refused: number;
  /** Refused because the destination wants less: 421, 4.7.x, 429. */
  readonly throttled: number;
  /** Not answered in time, or lost on the way. */
  readonly timedOut: number;
  /** Connections that were opened, and that could not be. */
  readonly opened: number;
  readonly openFailures: number;
  /** The destination wants to be left alone for so long, ms: a rule said so, or the server did. 0: no. */
  readonly restMs: number;
  /** Messages and connections the worker holds for it now. */
  readonly inFlight: number;
  readonly connections: number;
  /** The last refusals, newest last, at most `notedReplies`. */
  readonly replies: readonly NotedReply[];
}

/** A reply as shown to operators: addresses removed, at most 200 characters. */
export interface NotedReply {
  readonly code: number;
  readonly text: string;
  /** The transport contract's ReplyClass, or the cause of a connection that failed. */
  readonly class: string;
}

export const notedReplies = 3;

/** Why a destination is not served faster, in one word; `pace-reasons.ts` has the sentences. */
export const limitingRules = [
  /** Nothing holds it back but how fast it answers. */
  'none',
  /** The window still grows: little is known of it yet. */
  'growing',
  /** It answers slowly, or not at all: its window has shrunk to what it settles in a few seconds. */
  'slow',
  /** It asked for less; the rate it puts up with was learnt. */
  'learnt_rate',
  /** A rate set by the transport's owner. */
  'configured_rate',
  /** Connections fail: nothing is tried until a probe succeeds. */
  'breaker',
  /** It, or a rule, asked to be left alone for a time. */
  'rest',
  /** The day's quota, or its warm-up step, is used up. */
  'quota',
  /** DISPATCH_WINDOW_MESSAGES. */
  'ceiling',
] as const;

export type LimitingRule = (typeof limitingRules)[number];

/** What the leader knows of a destination; published for workers and the API. */
export interface Pace {
  /** Most messages of it that may be outstanding: dispatched and not yet settled. 0: none now. */
  readonly windowMessages: number;
  /** Learnt from refusals; undefined: it never asked for less, or long ago. */
  readonly learntPerSecond: number | undefined;
  /** Answered messages a second, smoothed over about two seconds. */
  readonly measuredPerSecond: number;
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** ms until it may be tried again; 0 when it may. */
  readonly closedForMs: number;
  readonly limitedBy: LimitingRule;
  readonly inFlight: number;
  readonly connections: number;
  readonly lastReplies: readonly NotedReply[];
}

/** What its owner allows at one destination: settings of its transport (`transports/destination-limits.ts`). Undefined: no limit of ours. */
export interface DestinationLimits {
  readonly perSecond?: number | undefined;
  /** Connections of the whole fleet. */
  readonly connections?: number | undefined;
  /** Messages a day (UTC): the quota, or today's step of a warm-up, whichever is less. */
  readonly perDay?: number | undefined;
}
