import type { NotedReply } from './pace.ts';

/** Something a worker lived through with a destination: a message was answered or was not, a connection was opened or was not. */
export interface PaceEvent {
  readonly kind: 'accepted' | 'refused' | 'throttled' | 'timed_out' | 'opened' | 'open_failed';
  readonly reply?: NotedReply;
  /** It, or a rule, asked to be left alone for so long, ms. */
  readonly restMs?: number;
}
