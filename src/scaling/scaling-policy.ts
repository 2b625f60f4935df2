/**
 * How many workers a pool should have. Pure: no I/O, no clock.
 *
 * With B = messages that may go now, T = the target drain time, r = what one worker does a second, m = what goes through the pool:
 *
 *     up   = ceil(B / (r T))                          fewer are too few
 *     down = ceil(1.25 max(B / r T, m / r))           more are too many, once that has held for `downAfterMs`
 *     floor = max(min, ceil(upcoming / (r T)))        what the schedule says comes within the next minutes
 *     cap   = min(max, what the database has room for)
 *
 * Between `up` and `down` nothing is changed: a load that varies by a tenth never moves the pool to and fro. m keeps workers that are at work: as a backlog drains,
 * B falls and they stay until it is gone. Workers come in steps (at most as many as there are, two at first), each after the last had time to start, so that a wrong
 * figure can't start a crowd; they go a quarter at a time. What the schedule says is no guess: the floor is reached at once.
 *
 * Considered: CPU (a destination that stalls looks idle, and rendering looks busy whatever waits); the length of the queues in Redis (bounded by the windows, hence
 * the same for a thousand messages as for ten million); the whole backlog (what waits for a provider's limit would start workers that have nothing to do).
 */
import type { PoolFacts, PoolSettings, PoolState, ScalingReason } from './pool.ts';

/** Load may vary by a tenth to either side without a change: 1.1 / 0.9 < 1.25. */
const slack = 1.25;
const fewWorkers = 2;
/** Between two steps up: the time a worker takes to start, and for what it does to be seen. */
const stepUpMs = 15_000;
/** Of the workers, at each step down. */
const partDown = 1 / 4;
/** Further steps down follow after this part of the wait. */
const partOfWait = 1 / 4;
/** Of one worker: less is nothing. */
const idleBelow = 0.001;

export function decidePool(before: PoolState, facts: PoolFacts, settings: PoolSettings): PoolState {
  const need = needOf(facts, settings);
  const cap = Math.max(0, Math.min(settings.max, facts.databaseCap));
  const floor = Math.min(cap, Math.max(settings.min, need.scheduled));
  const idleMs = need.isIdle ? before.idleMs + facts.elapsedMs : 0;
  const low = measureLow(before, need.down, facts.elapsedMs);
  const aim = { ...need, ...low, floor, cap, elapsedMs: facts.elapsedMs };
  const wanted = step(before, aim, settings);
  const kept = idleMs < settings.idleMs ? Math.min(1, before.desired) : 0;
  const desired = Math.min(cap, Math.max(floor, kept, wanted));
  // Also where no step was taken: what was needed before this wait is not to keep workers for ever.
  const isWaitOver = low.lowMs > 0 && low.lowMs >= settings.downAfterMs;
  return {
    desired,
    reason: reasonOf(desired, aim, facts, settings),
    idleMs,
    lowMs: isWaitOver ? settings.downAfterMs * (1 - partOfWait) : low.lowMs,
    lowPeak: isWaitOver ? need.down : low.lowPeak,
    sinceUpMs:
      desired > before.desired ? 0 : Math.min(Number.MAX_SAFE_INTEGER, before.sinceUpMs + facts.elapsedMs),
  };
}

interface Need {
  readonly up: number;
  readonly down: number;
  readonly scheduled: number;
  readonly isIdle: boolean;
}

interface Aim extends Need {
  readonly floor: number;
  readonly cap: number;
  readonly elapsedMs: number;
  readonly lowMs: number;
  readonly lowPeak: number;
}

/** In workers. Also what the pools compete with for the database's room. */
export function needOf(
  facts: Pick<PoolFacts, 'sendableMessages' | 'upcomingMessages' | 'busyPerSecond' | 'perSecondAndWorker'>,
  { drainSeconds }: Pick<PoolSettings, 'drainSeconds'>,
): Need {
  const perWorker = facts.perSecondAndWorker * drainSeconds;
  const backlog = facts.sendableMessages / perWorker;
  const busy = facts.busyPerSecond / facts.perSecondAndWorker;
  return {
    up: Math.ceil(backlog),
    down: Math.ceil(slack * Math.max(backlog, busy > idleBelow ? busy : 0)),
    scheduled: Math.ceil(facts.upcomingMessages / perWorker),
    isIdle: backlog === 0 && busy <= idleBelow,
  };
}

/** For how long fewer would have done, and how many of them would have. */
function measureLow({ desired, lowMs, lowPeak }: PoolState, down: number, elapsedMs: number) {
  if (down >= desired) return { lowMs: 0, lowPeak: 0 };
  return { lowMs: lowMs + elapsedMs, lowPeak: Math.max(lowPeak, down) };
}

function step({ desired, sinceUpMs }: PoolState, aim: Aim, { downAfterMs }: PoolSettings): number {
  if (aim.up > desired) {
    const isEarly = desired > 0 && sinceUpMs + aim.elapsedMs < stepUpMs;
    return isEarly ? desired : Math.min(aim.up, desired + Math.max(fewWorkers, desired));
  }
  if (aim.lowMs === 0 || aim.lowMs < downAfterMs) return desired;
  // What was needed may be more than the database had room for since.
  return Math.min(desired, Math.max(aim.lowPeak, desired - Math.max(1, Math.floor(desired * partDown))));
}

function reasonOf(desired: number, aim: Aim, facts: PoolFacts, settings: PoolSettings): ScalingReason {
  if (Math.max(aim.up, aim.scheduled, settings.min) > aim.cap && desired === aim.cap)
    return facts.databaseCap < settings.max ? 'database' : 'maximum';
  if (aim.up > desired) return 'step';
  if (aim.up === desired && desired > 0) return 'backlog';
  if (desired === aim.floor) return aim.scheduled > settings.min ? 'scheduled' : 'minimum';
  return 'settling';
}
