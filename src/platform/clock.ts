/** Time as a dependency, so that tests set it. */
export interface Clock {
  /** Wall clock, ms since 1970, for what people read. */
  now(): number;
  /** Monotonic, ms since an arbitrary start: the only one for trust and durations. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
