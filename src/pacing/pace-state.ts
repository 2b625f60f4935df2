/** What the leader remembers of one destination: the state of `learn.ts`. */
import type { Breaker } from './breaker.ts';
import type { LearntRate } from './learn-rate.ts';
import type { Window } from './learn-window.ts';
import type { Meter } from './meter.ts';
import type { LimitingRule, NotedReply } from './pace.ts';

export interface Holding {
  readonly inFlight: number;
  readonly connections: number;
  readonly atMs: number;
}

/** What was reported since the last tick. */
export interface News {
  readonly answered: number;
  readonly throttled: number;
  readonly timedOut: number;
  readonly opened: number;
  readonly openFailures: number;
  readonly restMs: number;
}

export interface PaceState {
  readonly meter: Meter;
  readonly window: Window;
  readonly rate: LearntRate | undefined;
  readonly breaker: Breaker;
  /** What each worker held when it last said so. */
  readonly workers: ReadonlyMap<string, Holding>;
  readonly news: News;
  readonly lastReplies: readonly NotedReply[];
  /** Answered a second, over the last two. */
  readonly measuredPerSecond: number;
  /** When the present run of answers began, and its last. */
  readonly answeringSinceMs: number;
  readonly answeredAtMs: number;
  /** When something accepted was last heard of; at first, when we began to listen. */
  readonly acceptedAtMs: number;
  readonly tickedAtMs: number | undefined;
  /** When there was last something outstanding or reported. */
  readonly busyAtMs: number;
  readonly outstanding: number;
  /** The window after all that bounds it, and what does. */
  readonly windowMessages: number;
  readonly limitedBy: LimitingRule;
}
