/** "No faster than": a campaign or tenant with a rate has at most a few seconds of it outstanding. Pure. */

/** As much as a destination's window holds of its rate: what is dispatched waits no longer for its rate than for anything else. */
export const horizonMs = 3_000;

/** Most messages outstanding at such a rate. The send worker's gate keeps the rate itself. */
export function outstandingAt(perSecond: number): number {
  return Math.max(1, Math.floor((perSecond * horizonMs) / 1_000));
}
