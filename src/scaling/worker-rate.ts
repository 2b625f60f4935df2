/**
 * What one worker does a second. Pure.
 *
 * Throughput over workers says what a worker can do only while it has as much as it can do. Learnt all the same while a provider's limit holds the fleet back, it
 * would fall, more workers would be asked for, and it would fall again. So it rises with any sample, and falls only with those of a pool that is behind: with more
 * sendable work than its workers get through, and with most of what is outstanding before it and not before the other pool.
 */
export interface RateSample {
  /** Through the whole pool. */
  readonly answeredPerSecond: number;
  readonly workers: number;
  readonly isBehind: boolean;
  /** What it is taken for before anything is measured (SCALE_..._RATE). */
  readonly configured: number;
}

const riseBy = 0.3;
/** Per sample, at one every few seconds: a minute of a slow database moves it by half, a hiccup hardly. */
const fallBy = 0.05;
/** Of what is configured: a wrong sample can't ask for a crowd. */
const least = 1 / 4;
const most = 8;

export function learnWorkerRate(before: number | undefined, sample: RateSample): number {
  const { configured, isBehind, workers } = sample;
  const known = before ?? configured;
  if (workers === 0) return clamp(known, configured);
  const perWorker = sample.answeredPerSecond / workers;
  if (perWorker > known) return clamp(known + riseBy * (perWorker - known), configured);
  return clamp(isBehind ? known + fallBy * (perWorker - known) : known, configured);
}

function clamp(rate: number, configured: number): number {
  return Math.min(configured * most, Math.max(configured * least, rate));
}
