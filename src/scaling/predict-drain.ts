/** How long a backlog takes by the policy: `decidePool` played on a virtual clock. What a fleet does is held against it. */
import { type PoolSettings, poolStateOf } from './pool.ts';
import { decidePool } from './scaling-policy.ts';

export interface DrainPrediction {
  readonly messages: number;
  /** What one worker is taken to do a second, and what it does: a figure that is set may be wrong. */
  readonly assumedPerSecond: number;
  readonly actualPerSecond: number;
  readonly settings: PoolSettings;
  /** Between two decisions. */
  readonly everyMs: number;
  /** From a decision to the first message of a worker that it starts. */
  readonly startMs: number;
}

const longestMs = 24 * 3_600_000;

/** Seconds until the last message has left, beginning with `min` workers at work. */
export function predictDrain(prediction: DrainPrediction): number {
  const { messages, assumedPerSecond, actualPerSecond, settings, everyMs, startMs } = prediction;
  let state = poolStateOf(settings.min);
  let left = messages;
  /** Since when each worker is at work. */
  const workingFrom = Array.from({ length: settings.min }, () => 0);
  for (let nowMs = 0; nowMs < longestMs; nowMs += everyMs) {
    const atWork = workingFrom.filter((from) => from <= nowMs).length;
    const perSecond = atWork * actualPerSecond;
    const facts = {
      sendableMessages: left,
      upcomingMessages: 0,
      busyPerSecond: perSecond,
      elapsedMs: everyMs,
    };
    state = decidePool(
      state,
      { ...facts, perSecondAndWorker: assumedPerSecond, databaseCap: settings.max },
      settings,
    );
    while (workingFrom.length < state.desired) workingFrom.push(nowMs + startMs);
    workingFrom.length = Math.min(workingFrom.length, state.desired);
    if (left <= (perSecond * everyMs) / 1000) return (nowMs + (left / perSecond) * 1000) / 1000;
    left -= (perSecond * everyMs) / 1000;
  }
  return longestMs / 1000;
}
