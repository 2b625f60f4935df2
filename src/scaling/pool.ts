/** The pools that grow and shrink, and what is decided of each: the words shared by the policy, the leader and those who read its numbers. */

export const poolNames = ['render', 'send'] as const;
export type PoolName = (typeof poolNames)[number];
export type Pools<T> = Readonly<Record<PoolName, T>>;

/** What an operator sets for one pool. */
export interface PoolSettings {
  readonly min: number;
  readonly max: number;
  /** What may go now is to be gone within so many seconds. */
  readonly drainSeconds: number;
  /** Nothing to do for so long: the last worker may go, where `min` is 0. */
  readonly idleMs: number;
  /** Fewer workers would do for so long: some may go. */
  readonly downAfterMs: number;
}

/** What is known of one pool at one moment. */
export interface PoolFacts {
  /** Messages that its workers could have now, if there were enough of them: see `sendable-work.ts`. */
  readonly sendableMessages: number;
  /** Messages of campaigns that begin within the next minutes. */
  readonly upcomingMessages: number;
  /** Messages a second that go through it now. */
  readonly busyPerSecond: number;
  /** What one worker does a second: see `worker-rate.ts`. */
  readonly perSecondAndWorker: number;
  /** Most workers that the database has room for. */
  readonly databaseCap: number;
  /** Since the last decision. */
  readonly elapsedMs: number;
}

/** Why a pool has the size it has. */
export type ScalingReason =
  /** So many drain the sendable backlog in time. */
  | 'backlog'
  /** Campaigns begin soon. */
  | 'scheduled'
  /** Fewer would do; they go one step at a time, when that has held for a while. */
  | 'settling'
  | 'minimum'
  /** The maximum that is set. */
  | 'maximum'
  /** More workers would be more load on the database. */
  | 'database'
  /** More are needed; they come one step at a time, as the last ones have started. */
  | 'step';

/** What is remembered from one decision to the next: durations only, since clocks are never compared. */
export interface PoolState {
  readonly desired: number;
  readonly reason: ScalingReason;
  /** For so long there was nothing to do. */
  readonly idleMs: number;
  /** For so long fewer workers would have done, and the most that would have been needed meanwhile. */
  readonly lowMs: number;
  readonly lowPeak: number;
  /** Since workers were last added. */
  readonly sinceUpMs: number;
}

export function poolStateOf(desired: number): PoolState {
  return { desired, reason: 'minimum', idleMs: 0, lowMs: 0, lowPeak: 0, sinceUpMs: Number.MAX_SAFE_INTEGER };
}

/** Asks for each pool by its name. */
export function forEachPool<T>(make: (pool: PoolName) => T): Pools<T> {
  return { render: make('render'), send: make('send') };
}
