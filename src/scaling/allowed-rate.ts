/** How fast a destination may be served now, messages a second: infinite where nothing holds it back but us. Pure. */
import type { DestinationLimits, Pace } from '../pacing/pace.ts';

type KnownPace = Pick<
  Pace,
  | 'windowMessages'
  | 'learntPerSecond'
  | 'measuredPerSecond'
  | 'breaker'
  | 'closedForMs'
  | 'limitedBy'
  | 'connections'
>;

/** One that answers slowly may turn out to take this much more of what it takes now. */
const headroom = 2;
/** Of one that is tried out: enough for one worker, which has to do it. */
const probePerSecond = 1;

/**
 * The lesser of the configured and the learnt rate; nothing while its breaker is open, it rests or its quota is used up.
 *
 * One that answers slowly, or whose connections are all in use, gets twice what it takes now. If it is the destination that is slow, more workers don't help,
 * and twice what they do now doesn't ask for them; if it is the workers, twice is twice the workers, and again with what they then do.
 */
export function allowedPerSecond(pace: KnownPace, limits: DestinationLimits): number {
  const isShut = pace.windowMessages === 0 || pace.closedForMs > 0 || pace.breaker === 'open';
  if (isShut || limits.perDay === 0) return 0;
  const rate = Math.min(pace.learntPerSecond ?? Infinity, limits.perSecond ?? Infinity);
  if (pace.breaker === 'half_open') return Math.min(rate, probePerSecond);
  const isFull = limits.connections !== undefined && pace.connections >= limits.connections;
  if (pace.limitedBy !== 'slow' && !isFull) return rate;
  return Math.min(rate, headroom * pace.measuredPerSecond + probePerSecond);
}
